import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Sample } from './sample.ts';
import { addSample, createWindow, evidenceOf } from './window.ts';

const startedAt = 1_000;

function sample(changes: Partial<Sample> = {}): Sample {
  return {
    at: startedAt + 1,
    release: 'new',
    instance: 'new-1',
    status: 200,
    latencyMs: 10,
    via: 'share',
    origin: 'instance',
    ...changes,
  };
}

function windowOf(...samples: readonly Sample[]) {
  const window = createWindow('new', 'old', startedAt);
  for (const each of samples) addSample(window, each);
  return window;
}

function countsOf(...samples: readonly Sample[]) {
  const { requests, errors, unanswered } = evidenceOf(windowOf(...samples), 'candidate');
  return { requests, errors, unanswered };
}

test('each release is counted for itself, and others are not counted', () => {
  const window = windowOf(sample(), sample({ release: 'old', status: 500 }), sample({ release: 'older' }));
  assert.equal(evidenceOf(window, 'candidate').requests, 1);
  assert.equal(evidenceOf(window, 'candidate').errors, 0);
  assert.equal(evidenceOf(window, 'stable').requests, 1);
  assert.equal(evidenceOf(window, 'stable').errors, 1);
  assert.equal(evidenceOf(window, 'stable').release, 'old');
});

test('requests to the preview address are no evidence, those by rule or cookie are', () => {
  assert.equal(countsOf(sample({ via: 'preview', status: 500 })).requests, 0);
  assert.equal(countsOf(sample({ via: 'rule' }), sample({ via: 'sticky' })).requests, 2);
});

test('what ended before the window is no evidence, what ended at its beginning is', () => {
  assert.equal(countsOf(sample({ at: startedAt - 1 })).requests, 0);
  assert.equal(countsOf(sample({ at: startedAt })).requests, 1);
});

test('a server error counts against the release; a client error and a client that went away do not', () => {
  const statuses = [200, 302, 404, 499, 500, 502, 503];
  assert.deepEqual(countsOf(...statuses.map((status) => sample({ status }))), {
    requests: 7,
    errors: 3,
    unanswered: 0,
  });
});

test('an error that the router had to answer for counts as unanswered too', () => {
  assert.deepEqual(countsOf(sample({ status: 502, origin: 'router' }), sample({ status: 502 })), {
    requests: 2,
    errors: 2,
    unanswered: 1,
  });
});

test('only whole answers that were no errors have a latency', () => {
  const slow = { latencyMs: 30_000 };
  const window = windowOf(sample(), sample({ ...slow, status: 499 }), sample({ ...slow, status: 503 }));
  const { requests, p50, p99 } = evidenceOf(window, 'candidate');
  assert.equal(requests, 3);
  assert.ok((p50 ?? 0) <= 10 && (p99 ?? 0) <= 10);
  const none = evidenceOf(windowOf(sample({ status: 499 })), 'candidate');
  assert.deepEqual([none.p50, none.p95, none.p99], [undefined, undefined, undefined]);
});

test('quantiles stand in order and near the truth', () => {
  const window = windowOf(...Array.from({ length: 100 }, (_, index) => sample({ latencyMs: index < 90 ? 10 : 1_000 })));
  const { p50, p95, p99 } = evidenceOf(window, 'candidate');
  assert.ok(p50 !== undefined && p50 > 8 && p50 < 12.5);
  assert.ok(p95 !== undefined && p95 > 800 && p95 <= 1_000);
  assert.ok(p99 !== undefined && p99 >= p95);
});

test('without a stable release there is nothing to count beside the candidate', () => {
  const window = createWindow('new', undefined, startedAt);
  addSample(window, sample({ release: 'old' }));
  addSample(window, sample());
  assert.equal(evidenceOf(window, 'stable').requests, 0);
  assert.equal(evidenceOf(window, 'candidate').requests, 1);
});
