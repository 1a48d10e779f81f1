import assert from 'node:assert/strict';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { realClock } from './fixture.ts';
import { StateLock } from './state-lock.ts';

test('nobody but its owner can open the lock, and so hold it for ever', async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
  context.after(() => rm(root, { recursive: true, force: true }));
  const path = join(root, 'state', 'lock');
  const mode = async (): Promise<number> => (await stat(path)).mode & 0o777;
  assert.equal(await new StateLock(path, realClock).hold(mode), 0o600);
});

test('a second lock object of the same process waits, and does not set the first one free', async (context) => {
  const root = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
  context.after(() => rm(root, { recursive: true, force: true }));
  const path = join(root, 'lock');
  const [first, second] = [new StateLock(path, realClock), new StateLock(path, realClock)];
  const order: string[] = [];
  await first.hold(async () => {
    const waiting = second.hold(async () => order.push('second'));
    await realClock.sleep(50);
    order.push('first');
    void waiting;
  });
  await second.hold(async () => undefined);
  assert.deepEqual(order, ['first', 'second']);
});
