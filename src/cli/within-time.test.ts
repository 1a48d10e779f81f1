import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withinTime } from './within-time.ts';

test('work that ends in time is done', () => {
  let done = 0;
  assert.equal(
    withinTime(10_000, () => (done += 1)),
    true,
  );
  assert.equal(done, 1);
});

test('an expression that never ends is ended', () => {
  assert.equal(
    withinTime(50, () => void /^(a+)+$/.test(`${'a'.repeat(200)}b`)),
    false,
  );
});

test('an error of the work is its own', () => {
  const error = new TypeError('mine');
  const work = (): never => {
    throw error;
  };
  assert.throws(() => withinTime(10_000, work), error);
});
