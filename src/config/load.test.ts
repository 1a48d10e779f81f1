import assert from 'node:assert/strict';
import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Failure, type FailureData } from '../base/failure.ts';
import { loadConfig } from './load.ts';

const good = 'service: shop\nrelease: { directory: ., command: x }\nrouter: { embedded: { listen: 1 } }\n';

async function directory(context: TestContext, files: Readonly<Record<string, string | Buffer>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  context.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, 'a', 'b'), { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  return root;
}

async function refusal(attempt: Promise<unknown>): Promise<FailureData> {
  try {
    await attempt;
  } catch (thrown) {
    assert.ok(thrown instanceof Failure, String(thrown));
    return thrown.toJSON();
  }
  return assert.fail('it was accepted');
}

test('finds the nearest file upwards', async (context) => {
  const root = await directory(context, { 'sluice.yaml': good, 'a/sluice.yaml': good.replace('shop', 'inner') });
  const { config, file } = await loadConfig({ cwd: join(root, 'a', 'b') });
  assert.equal(config.service, 'inner');
  assert.equal(file, join(root, 'a', 'sluice.yaml'));
});

test('reads the file that is named, relative to where one is', async (context) => {
  const root = await directory(context, { 'a/other.yaml': good });
  const { file } = await loadConfig({ cwd: root, config: 'a/other.yaml' });
  assert.equal(file, join(root, 'a', 'other.yaml'));
});

test('without a file it says how to write one', async (context) => {
  const root = await directory(context, {});
  const { code, message, remedy } = await refusal(loadConfig({ cwd: join(root, 'a') }));
  assert.equal(code, 'config.missing');
  assert.equal(message, `There is no sluice.yaml in ${join(root, 'a')} or above it`);
  assert.match(remedy, /sluice init/);
});

test('a file with the other ending is pointed out', async (context) => {
  const root = await directory(context, { 'sluice.yml': good });
  const { code, remedy } = await refusal(loadConfig({ cwd: join(root, 'a') }));
  assert.equal(code, 'config.missing');
  assert.match(remedy, /^Rename .*sluice\.yml to sluice\.yaml/);
});

test(
  'a file that another user may have planted above is not taken, unless it is named',
  { skip: process.getuid?.() !== 0 && 'only root can give a file away' },
  async (context) => {
    const root = await directory(context, { 'sluice.yaml': good });
    const cwd = join(root, 'a', 'b');
    await chown(join(root, 'sluice.yaml'), 12_345, 12_345);
    assert.equal((await loadConfig({ cwd })).config.service, 'shop', 'in a directory that only its owner may write');
    await chmod(root, 0o1777);
    const { code, at, message } = await refusal(loadConfig({ cwd }));
    assert.equal(code, 'config.missing');
    assert.equal(at, join(root, 'sluice.yaml'));
    assert.match(message, /belongs to another user/);
    assert.equal((await loadConfig({ cwd, config: at })).config.service, 'shop');
  },
);

test('a named file that is not there, and one that is a directory', async (context) => {
  const root = await directory(context, { 'sluice.yaml': good });
  assert.equal((await refusal(loadConfig({ cwd: root, config: 'no.yaml' }))).code, 'config.missing');
  assert.equal((await refusal(loadConfig({ cwd: root, config: 'sluice.yaml/x' }))).code, 'config.missing');
  assert.match((await refusal(loadConfig({ cwd: root, config: 'a' }))).message, /is a directory$/);
});

test('a file that never ends is read no further than its limit', async () => {
  const { code, message } = await refusal(loadConfig({ cwd: '/', config: '/dev/zero' }));
  assert.deepEqual({ code, message }, { code: 'config.syntax', message: 'The file is larger than 1 MiB' });
});

test('bytes that are not UTF-8 are refused', async (context) => {
  const root = await directory(context, { 'sluice.yaml': Buffer.from([0x73, 0xff, 0xfe]) });
  assert.match((await refusal(loadConfig({ cwd: root }))).message, /is not UTF-8 text$/);
});

test('a byte-order mark and Windows line ends are no hindrance', async (context) => {
  const root = await directory(context, { 'sluice.yaml': `\uFEFF${good.replaceAll('\n', '\r\n')}` });
  assert.equal((await loadConfig({ cwd: root })).config.service, 'shop');
});

test('an error names the file, the line and the column', async (context) => {
  const root = await directory(context, { 'sluice.yaml': `${good}drain: 5\n` });
  assert.equal((await refusal(loadConfig({ cwd: root }))).at, `${join(root, 'sluice.yaml')}:4:8`);
});
