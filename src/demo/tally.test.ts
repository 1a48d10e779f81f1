// The tally blames deploying for everything but good answers and errors that are there on purpose.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, nothing, since, type Outcome, type Totals } from './tally.ts';

const good = (version: string): Outcome => ({ kind: 'answered', status: 200, version });
const fault = (version: string): Outcome => ({ kind: 'answered', status: 500, version, fault: version });

function all(outcomes: readonly Outcome[], from: Totals = nothing): Totals {
  return outcomes.reduce((totals, outcome, index) => counted(totals, index, outcome), from);
}

test('good answers and errors on purpose are counted for the version that gave them', () => {
  const totals = all([good('v1'), good('v2'), fault('v2'), good('v1')]);
  assert.equal(totals.requests, 4);
  assert.equal(totals.failed, 0);
  assert.deepEqual(totals.versions, {
    v1: { requests: 2, faults: 0, lastBegunAt: 3 },
    v2: { requests: 2, faults: 1, lastBegunAt: 2 },
  });
});

test('no answer, an error of the router and an error that is not marked all count as failed', () => {
  const totals = all([
    { kind: 'broken', reason: 'ECONNRESET' },
    { kind: 'answered', status: 502 },
    { kind: 'answered', status: 500, version: 'v1' },
    { kind: 'answered', status: 404, version: 'v1' },
  ]);
  assert.equal(totals.failed, 4);
  assert.deepEqual(totals.losses, [
    { at: 0, reason: 'ECONNRESET' },
    { at: 1, reason: 'status 502' },
    { at: 2, reason: 'status 500 from v1' },
    { at: 3, reason: 'status 404 from v1' },
  ]);
});

test('only the first losses are kept, all are counted', () => {
  const totals = all(Array.from({ length: 50 }, () => ({ kind: 'broken', reason: 'ECONNREFUSED' })));
  assert.equal(totals.failed, 50);
  assert.equal(totals.losses.length, 20);
});

test('the difference of two totals has only what came in between', () => {
  const before = all([good('v1'), fault('v4'), { kind: 'broken', reason: 'a' }]);
  const after = all([good('v2'), fault('v4'), { kind: 'broken', reason: 'b' }], before);
  assert.deepEqual(since(before, after), {
    requests: 3,
    failed: 1,
    losses: [{ at: 2, reason: 'b' }],
    versions: {
      v2: { requests: 1, faults: 0, lastBegunAt: 0 },
      v4: { requests: 1, faults: 1, lastBegunAt: 1 },
    },
  });
});
