import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fewErrors, notWorse } from '../../../test/engine/specs.ts';
import { assess, judge, metricOf, valueText, type Evidence } from './assess.ts';
import type { SampleCheck } from './check.ts';
import { addSample, createWindow, type Window } from './window.ts';
import { errorRate, type ReleaseEvidence } from './verdict.ts';

function release(changes: Partial<ReleaseEvidence> = {}): ReleaseEvidence {
  return { release: 'new', requests: 100, errors: 0, unanswered: 0, p50: 10, p95: 100, p99: 200, ...changes };
}

function against(candidate: Partial<ReleaseEvidence>, stable?: Partial<ReleaseEvidence>): Evidence {
  return {
    candidate: release(candidate),
    ...(stable === undefined ? {} : { stable: release({ release: 'old', ...stable }) }),
    durationMs: 10_000,
  };
}

type Absolute = Extract<SampleCheck, { kind: 'absolute' }>;
type Relative = Extract<SampleCheck, { kind: 'relative' }>;

function limit(metric: Absolute['metric'], bound: Absolute['bound'], amount: number): SampleCheck {
  return { kind: 'absolute', metric, bound, limit: amount, minSamples: 10 };
}

function worse(metric: Relative['metric'], unit: Relative['unit'], amount: number): SampleCheck {
  return { kind: 'relative', metric, unit, limit: amount, minSamples: 10 };
}

/** Check, what the candidate and stable showed, and the outcome; each limit is tried at its edge and just beyond it. */
const edges: readonly (readonly [string, SampleCheck, Evidence, 'pass' | 'fail'])[] = [
  ['error rate at its limit', limit('errorRate', 'max', 0.05), against({ errors: 5 }), 'pass'],
  ['error rate above its limit', limit('errorRate', 'max', 0.05), against({ errors: 6 }), 'fail'],
  ['p95 at its limit', limit('p95', 'max', 100), against({}), 'pass'],
  ['p95 above its limit', limit('p95', 'max', 99), against({}), 'fail'],
  ['p50 above its limit', limit('p50', 'max', 9), against({}), 'fail'],
  ['p99 above its limit', limit('p99', 'max', 199), against({}), 'fail'],
  ['availability at its limit', limit('availability', 'min', 0.95), against({ errors: 5, unanswered: 5 }), 'pass'],
  ['availability below its limit', limit('availability', 'min', 0.95), against({ errors: 6, unanswered: 6 }), 'fail'],
  ['errors that were answered', limit('availability', 'min', 0.95), against({ errors: 50 }), 'pass'],
  ['request rate at its limit', limit('requestRate', 'min', 10), against({}), 'pass'],
  ['request rate below its limit', limit('requestRate', 'min', 10.1), against({}), 'fail'],
  [
    'error rate as many points worse as allowed',
    worse('errorRate', 'points', 0.05),
    against({ errors: 15 }, { errors: 10 }),
    'pass',
  ],
  [
    'error rate more points worse than allowed',
    worse('errorRate', 'points', 0.05),
    against({ errors: 16 }, { errors: 10 }),
    'fail',
  ],
  ['error rate a factor worse', worse('errorRate', 'factor', 0.5), against({ errors: 16 }, { errors: 10 }), 'fail'],
  ['error rate within a factor', worse('errorRate', 'factor', 0.5), against({ errors: 15 }, { errors: 10 }), 'pass'],
  ['error rate better than stable', worse('errorRate', 'points', 0), against({ errors: 1 }, { errors: 2 }), 'pass'],
  ['p95 as many ms slower as allowed', worse('p95', 'points', 50), against({ p95: 150 }, {}), 'pass'],
  ['p95 more ms slower than allowed', worse('p95', 'points', 50), against({ p95: 151 }, {}), 'fail'],
  ['p95 within 20 % of stable', worse('p95', 'factor', 0.2), against({ p95: 120 }, {}), 'pass'],
  ['p95 more than 20 % slower', worse('p95', 'factor', 0.2), against({ p95: 121 }, {}), 'fail'],
  [
    'availability as much worse as allowed',
    worse('availability', 'points', 0.05),
    against({ unanswered: 5 }, {}),
    'pass',
  ],
  ['availability worse than allowed', worse('availability', 'points', 0.05), against({ unanswered: 6 }, {}), 'fail'],
  ['availability within a factor', worse('availability', 'factor', 0.1), against({ unanswered: 10 }, {}), 'pass'],
  ['availability beyond a factor', worse('availability', 'factor', 0.1), against({ unanswered: 11 }, {}), 'fail'],
];

for (const [what, check, evidence, outcome] of edges) {
  test(`${what}: ${outcome}`, () => {
    const verdict = assess(check, evidence);
    assert.equal(verdict.outcome, outcome, verdict.reason);
    assert.equal(verdict.samples, 100);
  });
}

test('a verdict says what was measured, on how many requests, and what is allowed', () => {
  const absolute = assess(limit('errorRate', 'max', 0.05), against({ errors: 6 }));
  assert.equal(absolute.check, 'error rate at most 5 %');
  assert.equal(absolute.reason, 'error rate is 6 % on 100 requests, allowed is at most 5 %');
  assert.deepEqual([absolute.value, absolute.limit], [0.06, 0.05]);
  const relative = assess(worse('p95', 'factor', 0.2), against({ p95: 150 }, { requests: 300 }));
  assert.equal(relative.check, 'p95 at most 20 % worse than stable');
  assert.equal(relative.reason, 'p95 is 150 ms against 100 ms of stable on 100 and 300 requests, allowed is 120 ms');
  assert.equal(
    assess(worse('errorRate', 'points', 0.005), against({}, {})).check,
    'error rate at most 0.5 points worse than stable',
  );
  assert.equal(assess(worse('p95', 'points', 50), against({}, {})).check, 'p95 at most 50 ms worse than stable');
});

test('too few requests leave the question open, of stable no less than of the candidate', () => {
  const few = assess(limit('errorRate', 'max', 0.05), against({ requests: 9, errors: 9 }));
  assert.equal(few.outcome, 'inconclusive');
  assert.equal(few.reason, 'error rate: 9 of at least 10 requests seen');
  assert.equal(assess(limit('errorRate', 'max', 0.05), against({ requests: 10, errors: 9 })).outcome, 'fail');
  assert.equal(assess(notWorse, against({}, { requests: 9 })).outcome, 'inconclusive');
  assert.equal(assess(notWorse, against({ requests: 9 }, {})).outcome, 'inconclusive');
  assert.equal(assess(notWorse, against({})).outcome, 'inconclusive');
});

test('a metric that nothing was measured for leaves the question open', () => {
  const noLatency = against({ errors: 100, p95: undefined });
  assert.equal(assess(limit('p95', 'max', 10), noLatency).outcome, 'inconclusive');
  assert.equal(assess(worse('p95', 'factor', 1), against({}, { p95: undefined })).outcome, 'inconclusive');
  const atOnce = { ...against({}), durationMs: 0 };
  assert.equal(assess(limit('requestRate', 'min', 1), atOnce).outcome, 'inconclusive');
  const nothing = release({ requests: 0 });
  assert.equal(metricOf('errorRate', nothing, 1), undefined);
  assert.equal(metricOf('availability', nothing, 1), undefined);
  assert.equal(errorRate(nothing), 0);
});

/** A window with so many requests of each release, and so many of them errors. */
function windowOf(candidate: readonly [number, number], stable: readonly [number, number], lost = 0): Window {
  const window = createWindow('new', 'old', 0);
  for (const [name, [requests, errors]] of [
    ['new', candidate],
    ['old', stable],
  ] as const) {
    for (let index = 0; index < requests; index += 1) {
      const status = index < errors ? 500 : 200;
      const facts = { at: 1, instance: 'i', latencyMs: 5, via: 'share', origin: 'instance' } as const;
      addSample(window, { ...facts, release: name, status });
    }
  }
  window.lost = lost;
  return window;
}

test('one failing check fails, one open question leaves it open, and only all passing pass', () => {
  assert.equal(judge([fewErrors, notWorse], { window: windowOf([50, 0], [50, 0]) }, 1_000).outcome, 'pass');
  assert.equal(judge([fewErrors, notWorse], { window: windowOf([50, 0], [5, 0]) }, 1_000).outcome, 'inconclusive');
  assert.equal(judge([fewErrors, notWorse], { window: windowOf([50, 40], [5, 0]) }, 1_000).outcome, 'fail');
  assert.equal(judge([], { window: windowOf([0, 0], [0, 0]) }, 1_000).outcome, 'pass');
});

test('a judgement carries the evidence of both releases, or of the only one', () => {
  const both = judge([fewErrors], { window: windowOf([50, 1], [60, 2]) }, 1_000);
  assert.deepEqual([both.candidate.errors, both.stable?.errors], [1, 2]);
  assert.equal('stable' in judge([], { window: createWindow('new', undefined, 0) }, 1_000), false);
});

test('more than one sample in a hundred lost makes a passing judgement inconclusive, and excuses no failure', () => {
  assert.equal(judge([fewErrors], { window: windowOf([50, 0], [49, 0], 1) }, 1_000).outcome, 'pass');
  const lossy = judge([fewErrors], { window: windowOf([50, 0], [48, 0], 2) }, 1_000);
  assert.equal(lossy.outcome, 'inconclusive');
  assert.equal(lossy.verdicts.at(-1)?.reason, '2 of 100 samples were lost on the way');
  assert.equal(lossy.lost, 2);
  assert.equal(judge([fewErrors], { window: windowOf([50, 40], [0, 0], 1_000) }, 1_000).outcome, 'fail');
});

test('values are written with their unit and no more digits than help', () => {
  assert.deepEqual(
    [
      valueText('errorRate', 0.051234),
      valueText('availability', 0.95),
      valueText('p95', 3.24159),
      valueText('p95', 1234.5),
      valueText('requestRate', 12.345),
    ],
    ['5.12 %', '95 %', '3.2 ms', '1235 ms', '12.3/s'],
  );
});
