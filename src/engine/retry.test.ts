import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../base/failure.ts';
import { SimulatedClock } from '../drivers/clock/simulated-clock.ts';
import { mayPass, retry, type RetryRules } from './retry.ts';

/** Runs an operation that fails so many times; says when it was tried and what came of it. */
async function tried(failures: number, changes: Partial<RetryRules> = {}) {
  const clock = new SimulatedClock(0);
  const at: number[] = [];
  const told: number[] = [];
  const operation = async (): Promise<string> => {
    at.push(clock.now());
    if (at.length <= failures) throw new Error(`failure ${at.length}`);
    return 'done';
  };
  const rules: RetryRules = {
    clock,
    firstMs: 100,
    longestMs: 1_000,
    signal: new AbortController().signal,
    may: () => true,
    onRetry: (_, attempt) => told.push(attempt),
    ...changes,
  };
  const state: { over: boolean } = { over: false };
  const outcome = retry(operation, rules).then(
    (value) => value,
    (error: unknown) => (error instanceof Error ? error.message : 'no error'),
  );
  void outcome.finally(() => (state.over = true));
  await new Promise(setImmediate);
  while (!state.over) {
    clock.step();
    await new Promise(setImmediate);
  }
  return { at, told, outcome: await outcome };
}

test('what works at once is done once', async () => {
  assert.deepEqual(await tried(0), { at: [0], told: [], outcome: 'done' });
});

test('pauses double up to the longest, and each failure that is tried again is told', async () => {
  const { at, told, outcome } = await tried(6);
  assert.deepEqual(at, [0, 100, 300, 700, 1_500, 2_500, 3_500]);
  assert.deepEqual(told, [1, 2, 3, 4, 5, 6]);
  assert.equal(outcome, 'done');
});

test('when its time is over the last failure stands, and no pause goes beyond it', async () => {
  const { at, outcome } = await tried(99, { until: 700 });
  assert.deepEqual(at, [0, 100, 300, 700]);
  assert.equal(outcome, 'failure 4');
});

test('what trying again cannot help is not tried again', async () => {
  assert.deepEqual(await tried(9, { may: () => false }), { at: [0], told: [], outcome: 'failure 1' });
});

test('what is given up is not tried again, nor begun', async () => {
  const given = new AbortController();
  const { at } = await tried(9, { signal: given.signal, onRetry: () => given.abort(new Error('given up')) });
  assert.deepEqual(at, [0]);
  const { at: none, outcome } = await tried(0, { signal: AbortSignal.abort(new Error('given up')) });
  assert.deepEqual([none, outcome], [[], 'given up']);
});

test('a failure of the outside may pass, one of the request or the release does not', () => {
  const remedy = 'Wait.';
  assert.ok(mayPass(new Failure('router.unreachable', 'it does not answer', { remedy })));
  assert.ok(mayPass(new Failure('store.unavailable', 'it does not answer', { remedy })));
  assert.ok(mayPass(new Error('socket hang up')));
  assert.ok(!mayPass(new Failure('release.missing', 'it is not there', { remedy })));
  assert.ok(!mayPass(new Failure('instance.command', 'it cannot be run', { remedy })));
});
