import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope } from '../../test/engine/specs.ts';
import { Turns } from './turns.ts';

const other = { ...scope, environment: 'staging' };

/** Work that waits until the test lets it end. */
function work(log: string[], name: string) {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const begin = async (): Promise<string> => {
    log.push(`${name} begins`);
    await promise;
    log.push(`${name} ends`);
    return name;
  };
  return { begin, end: resolve, fail: reject };
}

const soon = (): Promise<void> => new Promise(setImmediate);

test('work on one scope is done one after the other, on two scopes side by side', async () => {
  const turns = new Turns();
  const log: string[] = [];
  const [a, b, c] = [work(log, 'a'), work(log, 'b'), work(log, 'c')];
  const all = [turns.take(scope, a.begin), turns.take(scope, b.begin), turns.take(other, c.begin)];
  await soon();
  assert.deepEqual(log, ['a begins', 'c begins']);
  a.end();
  await soon();
  assert.deepEqual(log.slice(2), ['a ends', 'b begins']);
  b.end();
  c.end();
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'c']);
});

test('work that fails tells its own caller and keeps nobody from the next turn', async () => {
  const turns = new Turns();
  const log: string[] = [];
  const a = work(log, 'a');
  const failing = turns.take(scope, a.begin);
  const next = turns.take(scope, async () => 'b');
  a.fail(new Error('a failed'));
  await assert.rejects(failing, /a failed/);
  assert.equal(await next, 'b');
});

test('spare work is left out while something else is at work, and gives way when somebody waits', async () => {
  const turns = new Turns();
  const log: string[] = [];
  const a = work(log, 'a');
  const taken = turns.take(scope, a.begin);
  const leftOut = turns.spare(scope, async () => assert.fail('spare work begins'));
  a.end();
  await taken;
  await leftOut;
  const spare = work(log, 'spare');
  let gaveWay: AbortSignal | undefined;
  const sparing = turns.spare(scope, async (signal) => {
    gaveWay = signal;
    await spare.begin();
  });
  await soon();
  assert.equal(gaveWay?.aborted, false);
  const next = turns.take(scope, async () => log.push('next'));
  assert.equal(gaveWay.aborted, true);
  await soon();
  assert.equal(log.at(-1), 'spare begins', 'it is told to give way, and waited for');
  spare.end();
  await Promise.all([sparing, next]);
  assert.deepEqual(log.slice(-2), ['spare ends', 'next']);
});
