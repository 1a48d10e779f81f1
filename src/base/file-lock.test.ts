import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { takeFileLock, withFileLock } from './file-lock.ts';

const clock = {
  now: () => performance.now(),
  sleep: (ms: number, signal?: AbortSignal) => sleep(ms, undefined, { signal }),
};

async function lockFile(context: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
  context.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'lock');
}

const program = `
import { takeFileLock } from ${JSON.stringify(new URL('file-lock.ts', import.meta.url).href)};
const release = takeFileLock(process.argv[1]);
console.log(release === undefined ? 'refused' : 'taken');
if (process.argv[2] === 'stay') setInterval(() => undefined, 1000);
`;

/** Another process that tries to take it, and says whether it has. */
async function elsewhere(path: string, then: 'leave' | 'stay') {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, path, then], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  return { said: said.toString().trim(), process: child };
}

test('only its owner can open it, and so hold it for ever', async (context) => {
  const path = await lockFile(context);
  const release = takeFileLock(path);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  release?.();
});

test('it is held until it is released, and a killed process holds nothing', async (context) => {
  const path = await lockFile(context);
  const release = takeFileLock(path);
  assert.equal((await elsewhere(path, 'leave')).said, 'refused');
  release?.();
  const other = await elsewhere(path, 'stay');
  assert.equal(other.said, 'taken');
  assert.equal(takeFileLock(path), undefined);
  other.process.kill('SIGKILL');
  await once(other.process, 'exit');
  takeFileLock(path)?.();
});

test('whoever waits for it in the same process does not let others in', async (context) => {
  const path = await lockFile(context);
  const order: string[] = [];
  let waiting: Promise<unknown> = Promise.resolve();
  await withFileLock({ path, clock }, async () => {
    waiting = withFileLock({ path, clock }, async () => order.push('second'));
    assert.equal(takeFileLock(path), undefined);
    assert.equal((await elsewhere(path, 'leave')).said, 'refused');
    order.push('first');
  });
  await waiting;
  assert.deepEqual(order, ['first', 'second']);
});

test('who has waited long enough goes on without it where it may, and says so', async (context) => {
  const path = await lockFile(context);
  const release = takeFileLock(path);
  let told = 0;
  const acted = await withFileLock(
    { path, clock, atLatest: { afterMs: 0, tell: () => (told += 1) } },
    async () => 'acted',
  );
  assert.deepEqual([acted, told], ['acted', 1]);
  release?.();
});
