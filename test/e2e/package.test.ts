// The package as people get it: built, packed, installed into an empty folder, and used with Node 24 and with Node 26.

import assert from 'node:assert/strict';
import { execFile, type ExecFileException } from 'node:child_process';
import { globSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

import { takeDown } from '../../src/compose.ts';
import { removeTree } from '../../src/drivers/releases/directory/tree-copy.ts';
import { freePort } from '../free-port.ts';
import { failureIn, type Ran } from './support/sandbox.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const sources = [
  'src',
  'scripts',
  'docs',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'README.md',
  'LICENSE',
];
const patienceMs = 240_000;

const service = `
import { createServer } from 'node:http';
createServer((request, response) => response.end('served by ' + process.version)).listen(Number(process.env.PORT), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
`;

describe('the package', { timeout: 480_000 }, () => {
  let directory = '';
  let archive = '';

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sluice-p-'));
    archive = await pack(directory);
  });
  after(() => removeTree(directory));

  it('holds what is needed and nothing else', async () => {
    const { stdout } = await run('tar', ['-tzf', archive], directory);
    const files = stdout.trim().split('\n');
    for (const needed of ['dist/main.js', 'dist/ports/store.contract.js', 'README.md', 'LICENSE', 'package.json']) {
      assert.ok(files.includes(`package/${needed}`), `${needed} is missing`);
    }
    const strange = files.filter((file) =>
      /(?<!\.d)\.ts$|\.test\.|\/fixture|\/harness\.|^package\/(?:src|test)\//.test(file),
    );
    assert.deepEqual(strange, []);
  });

  it('works with the Node of the project', (context) => works(context, archive, dirname(process.execPath)));

  it('works with Node 26', async (context) => {
    const binaries = await node26(context, join(directory, 'node-26'));
    if (binaries !== undefined) await works(context, archive, binaries);
  });
});

/** Builds in a copy, so that neither the project's own `dist` nor anything half written beside it counts. */
async function pack(directory: string): Promise<string> {
  const project = join(directory, 'project');
  await mkdir(project);
  for (const name of sources) await cp(join(root, name), join(project, name), { recursive: true });
  await symlink(join(root, 'node_modules'), join(project, 'node_modules'));
  const packed = await run('npm', ['pack', '--silent', '--pack-destination', directory], project);
  assert.equal(packed.code, 0, packed.stdout + packed.stderr);
  const [archive] = globSync(join(directory, '*.tgz'));
  assert.ok(archive !== undefined, 'npm pack wrote nothing');
  return archive;
}

/** The folder of a Node 26; undefined, with the test skipped, where it is not to be had. */
async function node26(context: TestContext, directory: string): Promise<string | undefined> {
  await mkdir(directory);
  await writeFile(join(directory, 'package.json'), '{ "private": true, "allowScripts": { "node": true } }');
  const installed = await npmInstall(directory, 'node@26');
  const binaries = join(directory, 'node_modules', 'node', 'bin');
  const { stdout } = await run(join(binaries, 'node'), ['--version'], directory);
  if (stdout.startsWith('v26.')) return binaries;
  context.skip(`missing: Node 26, which npm could not install (exit code ${installed.code})`);
  return undefined;
}

async function npmInstall(directory: string, what: string): Promise<Ran> {
  return run('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--prefer-offline', what], directory);
}

/** Installs it, and goes through a person's first minutes with it. `binaries` is the folder of the Node to use. */
async function works(context: TestContext, archive: string, binaries: string): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-p-'));
  const home = join(directory, 'home');
  const port = await freePort();
  context.after(async () => {
    await takeDown(home, { service: 'shop', environment: 'production' });
    await removeTree(directory);
  });
  const installed = await npmInstall(directory, archive);
  assert.equal(installed.code, 0, installed.stdout + installed.stderr);
  await mkdir(join(directory, 'release'));
  await writeFile(join(directory, 'release', 'server.mjs'), service);
  const environment = { SLUICE_HOME: home, PATH: `${binaries}${delimiter}${process.env['PATH']}` };
  const sluice = (...words: readonly string[]): Promise<Ran> =>
    run(join(directory, 'node_modules', '.bin', 'sluice'), words, directory, environment);

  const help = done(await sluice('--help'));
  assert.match(help.stdout, /Usage: sluice/);
  assert.equal(help.stderr, '');
  const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { readonly version: string };
  assert.equal(done(await sluice('--version')).stdout.trim(), version);
  const answers = ['--service', 'shop', '--directory', 'release', '--command', 'node server.mjs'];
  done(await sluice('init', ...answers, '--listen', `127.0.0.1:${port}`, '--health', '/', '--strategy', 'canary'));
  const deployed = done(await sluice('deploy', '--label', 'v1'));
  assert.match(deployed.stdout, /VERIFIED/);
  assert.equal(deployed.stderr, '');
  const node = done(await run(join(binaries, 'node'), ['--version'], directory)).stdout.trim();
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/`)).text(), `served by ${node}`);
  assert.match(done(await sluice('status')).stdout, /v1/);
  const rollback = await sluice('rollback', '--json');
  assert.equal(rollback.code, 2, rollback.stdout + rollback.stderr);
  assert.equal(failureIn(rollback).code, 'rollback.nothing');
  await provesDrivers(directory, join(binaries, 'node'));
}

/** Somebody else's driver finds the contract suites under the package's name. */
async function provesDrivers(directory: string, node: string): Promise<void> {
  const suites = ['clock', 'ids', 'platform', 'prober', 'releases', 'router', 'store'];
  const program = suites.map((name) => `await import('sluice/ports/${name}.contract');`).join('\n');
  await writeFile(join(directory, 'prove.mjs'), `${program}\nconsole.log('all are there');\n`);
  assert.match(done(await run(node, ['prove.mjs'], directory)).stdout, /all are there/);
}

function done(ran: Ran): Ran {
  assert.equal(ran.code, 0, ran.stdout + ran.stderr);
  return ran;
}

/** Without what npm and the test runner tell their children. */
function run(
  program: string,
  words: readonly string[],
  cwd: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Ran> {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:SLUICE|NODE)_/.test(name));
  const env = { ...Object.fromEntries(kept), ...environment };
  return new Promise((resolve) => {
    execFile(
      program,
      [...words],
      { cwd, env, timeout: patienceMs },
      (error: ExecFileException | null, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
        resolve({ code, stdout, stderr: error !== null && code === null ? `${error.message}\n${stderr}` : stderr });
      },
    );
  });
}
