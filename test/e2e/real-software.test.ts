// Software that nobody here wrote: two published versions of http-server, installed, deployed, replaced by canary under load, and gone back from.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { patternAt } from '../load/pattern.ts';
import { runLoad } from '../load/run-load.ts';
import { Site } from '../load/site.ts';
import { programPath } from '../package/program.ts';

const run = promisify(execFile);
const example = fileURLToPath(new URL('../../examples/npm-http-server/', import.meta.url));
const versions = ['0.12.3', '14.1.1'] as const;
const largeBytes = 24 * 1024 * 1024;

it(
  'an HTTP server from the registry is replaced and put back without a failed request',
  { timeout: 600_000 },
  async (context) => {
    const site = await Site.open();
    context.after(() => site.close());
    const releases = join(site.directory, 'http-server');
    if (!(await install(releases, context))) return;
    for (const version of versions)
      await writeLargeFile(join(releases, `http-server-${version}`, 'public', 'large.bin'));
    await writeConfig(site);

    await deploy(site, releases, '0.12.3');
    const load = runLoad({
      port: site.port,
      target: {
        kind: 'files',
        small: { path: '/index.html', text: await readFile(join(example, 'public', 'index.html'), 'latin1') },
        large: { path: '/large.bin', bytes: largeBytes },
        versionHeader: 'server',
      },
      connections: 16,
      requestsPerSecond: 300,
      downloads: 4,
      uploads: 0,
      sockets: 0,
      streamMsMax: 4_000,
    });
    context.after(() => load.kill());
    await deploy(site, releases, '14.1.1');
    const [status] = await site.client.status();
    assert.equal(status?.situation.stable?.release.label, '14.1.1');
    await sluice(site, 'rollback');
    const report = await load.stop();

    assert.deepEqual(report.failures, []);
    assert.equal(report.failed + report.cut, 0);
    assert.ok(report.streams > 0, 'no download came to its end');
    // Both served: the old version says what it is made with, the new one says nothing.
    assert.deepEqual(Object.keys(report.versions).sort(), ['ecstatic-3.3.2', 'without']);
    const [back] = await site.client.status();
    assert.equal(back?.situation.stable?.release.label, '0.12.3');
  },
);

/** Runs the example's own script; false, and the test is skipped, where there is no registry and none is promised. */
async function install(releases: string, context: TestContext): Promise<boolean> {
  try {
    await run(join(example, 'install.sh'), [releases], {
      timeout: 180_000,
      env: { ...process.env, npm_config_fetch_retries: '1' },
    });
    return true;
  } catch (error) {
    const words = String((error as { stderr?: string }).stderr ?? error);
    const unreachable =
      /\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED)\b/.exec(words);
    if (unreachable === null || process.env['CI'] === 'true') throw error;
    context.skip(`the npm registry cannot be reached (${unreachable[1]})`);
    return false;
  }
}

/** Content that is worth a long download, and whose every byte is known. */
async function writeLargeFile(path: string): Promise<void> {
  const pieces: Buffer[] = [];
  for (let bytes = 0; bytes < largeBytes; bytes += 32_768) pieces.push(patternAt(bytes, 32_768));
  await writeFile(path, Buffer.concat(pieces));
}

/** The example's configuration, at an address of ours. */
async function writeConfig(site: Site): Promise<void> {
  const text = await readFile(join(example, 'sluice.yaml'), 'utf8');
  const moved = text.replace('127.0.0.1:8080', `127.0.0.1:${site.port}`);
  assert.notEqual(moved, text);
  await mkdir(site.directory, { recursive: true });
  await writeFile(join(site.directory, 'sluice.yaml'), moved);
}

async function deploy(site: Site, releases: string, version: string): Promise<void> {
  const link = join(site.directory, 'release');
  await unlink(link).catch(() => undefined);
  await symlink(join(releases, `http-server-${version}`), link);
  await sluice(site, 'deploy', '--label', version);
}

/** As a person types it; rejects with what it wrote where it does not exit with 0. */
async function sluice(site: Site, ...args: readonly string[]): Promise<void> {
  const where = ['--home', site.home, '--config', join(site.directory, 'sluice.yaml')];
  await run(process.execPath, [programPath, ...args, ...where], { timeout: 180_000 });
}
