import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before } from 'node:test';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('main.ts', import.meta.url));
const fixture = fileURLToPath(new URL('cli/fixture-process.ts', import.meta.url));

let home = '';

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'sluice-main-'));
});

after(() => rm(home, { recursive: true }));

interface Running {
  readonly child: ChildProcess;
  readonly written: () => string;
  readonly ended: Promise<{ code: number | null; signal: string | null; stdout: string; stderr: string }>;
}

function run(program: string, argv: readonly string[], variables: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [program, ...argv], {
    cwd: home,
    env: { PATH: process.env['PATH'], HOME: home, SLUICE_HOME: join(home, 'state'), ...variables },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = once(child, 'close').then(([code, signal]) => ({
    code: code as number | null,
    signal: signal as string | null,
    stdout,
    stderr,
  }));
  return { child, written: () => stdout + stderr, ended };
}

/** Resolves when the text was written; rejects when the process ends without it. */
async function writes({ child, written, ended }: Running, text: string): Promise<void> {
  const news = (): Promise<unknown> =>
    Promise.race([once(child.stdout ?? child, 'data'), once(child.stderr ?? child, 'data'), ended]);
  while (!written().includes(text)) {
    await news();
    if (child.exitCode !== null && !written().includes(text)) throw new Error(`ended without ${text}: ${written()}`);
  }
}

test('the program prints its version and its help, and ends', async () => {
  const { version } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  const told = await run(main, ['--version']).ended;
  assert.deepEqual([told.code, told.stdout, told.stderr], [0, `${version}\n`, '']);
  const help = await run(main, ['--help']).ended;
  assert.equal(help.code, 0);
  assert.match(help.stdout, /^Usage: sluice \[options\] COMMAND\n/);
});

test('a wrong command line ends with 2 and one error on stderr', async () => {
  const { code, stdout, stderr } = await run(main, ['stauts']).ended;
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /^error: unknown command 'stauts'\n {3}do {2}Did you mean status\?/);
});

test('the status of nothing is an empty list, also from a fresh home, and the process ends by itself', async () => {
  const { code, stdout, stderr } = await run(main, ['status', '--json']).ended;
  assert.deepEqual([code, stdout, stderr], [0, '{"scopes":[]}\n', '']);
});

test('a server that is named but not there ends with 6', async () => {
  const { code, stdout } = await run(main, ['status', '--json', '--server', join(home, 'none.sock')]).ended;
  assert.equal(code, 6);
  assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'server.unreachable');
});

test('whoever asks for a status waits for no module that takes longer than the answer', async () => {
  const tell = `process.on('exit', () => process.stderr.write(process.moduleLoadList.join('\\n')))`;
  const variables = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(tell)}` };
  const loadedBy = async (...argv: readonly string[]): Promise<readonly string[]> => {
    const { stderr } = await run(main, ['status', ...argv], variables).ended;
    return stderr.split('\n').map((line) => line.replace('NativeModule ', ''));
  };
  const asking = await loadedBy('--server', join(home, 'none.sock'));
  const alone = await loadedBy();
  assert.ok(asking.includes('http') && alone.includes('sqlite'));
  for (const slow of ['internal/deps/undici/undici', 'http2', 'tls', 'worker_threads', 'readline'])
    assert.ok(!asking.includes(slow) && !alone.includes(slow), slow);
});

test('whoever has read enough of the output hears no complaint', async () => {
  const running = run(fixture, ['logs', '--follow', '--service', 'shop', '-e', 'production']);
  await writes(running, 'line 3');
  running.child.stdout?.destroy();
  const { code, stderr } = await running.ended;
  assert.deepEqual([code, stderr], [0, '']);
});

const follow = ['resume', '--follow', '--service', 'shop', '-e', 'production'];

test('Ctrl-C in the controller’s own process brings the deployment back first', async () => {
  const running = run(fixture, follow);
  await writes(running, 'CANARY_WAITING');
  running.child.kill('SIGINT');
  const { code, stdout, stderr } = await running.ended;
  assert.equal(code, 1);
  assert.match(stderr, /Bringing the deployment to a safe state before leaving/);
  assert.match(stdout, /✗ ROLLED_BACK/);
});

test('a second Ctrl-C leaves at once, and says what that means', async () => {
  const running = run(fixture, follow, { FIXTURE_STUBBORN: '1' });
  await writes(running, 'CANARY_WAITING');
  running.child.kill('SIGTERM');
  await writes(running, 'Bringing the deployment');
  await new Promise((resolve) => setTimeout(resolve, 600));
  running.child.kill('SIGINT');
  const { code, stderr } = await running.ended;
  assert.equal(code, 130);
  assert.match(stderr, /Left at once\. Traffic stays as it is now, and nobody judges the new release\./);
});

test('with a server Ctrl-C only leaves', async () => {
  const running = run(fixture, follow, { FIXTURE_MODE: 'server' });
  await writes(running, 'CANARY_WAITING');
  running.child.kill('SIGINT');
  const { code, stderr } = await running.ended;
  assert.equal(code, 130);
  assert.match(
    stderr,
    /Left; the deployment goes on\. Come back with:\n {2}sluice status --watch --service shop -e production/,
  );
});
