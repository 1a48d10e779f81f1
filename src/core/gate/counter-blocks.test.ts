import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as holds, boolean, nat, property, tuple } from 'fast-check';
import type { CounterReading, CumulativeCounts } from '../metrics/counter-reading.ts';
import { blockBetween, remembered } from './counter-blocks.ts';
import { addReading, stageStarted, startGate } from './statistics/gate.ts';
import { gatePresets } from './statistics/settings.ts';

const bounds = [100, 500];

function counted(requests: number, errors = 0, upTo: readonly number[] = [0, 0, 0], at = 0): CumulativeCounts {
  return { requests, errors, upTo, at };
}

function reading(
  candidate: CounterReading['candidate'],
  stable: CounterReading['stable'] = {},
  stableBounds: readonly number[] = bounds,
): CounterReading {
  return { at: 0, bounds: { candidate: bounds, stable: stableBounds }, candidate, stable };
}

test('a block is what was counted between two scrapes, each bucket by itself', () => {
  const block = blockBetween(
    reading({ a: counted(100, 1, [60, 90, 100]) }, { s: counted(1_000, 9, [1_000, 1_000, 1_000]) }),
    reading({ a: counted(130, 3, [80, 115, 130]) }, { s: counted(1_300, 9, [1_200, 1_290, 1_300]) }),
  );
  assert.deepEqual(block, {
    candidate: { requests: 30, errors: 2, latency: [20, 5, 5] },
    stable: { requests: 300, errors: 0, latency: [200, 90, 10] },
    bounds,
    since: 0,
    until: { candidate: 0, stable: 0 },
  });
});

test('an instance that started again counts from 0, and so does one that is new; one that is gone counts no more', () => {
  const before = reading({ again: counted(100, 50, [10, 20, 100]), gone: counted(70), stays: counted(5) });
  const now = reading({ again: counted(8, 1, [2, 4, 8]), new: counted(3, 3, [0, 0, 3]), stays: counted(5) });
  assert.deepEqual(blockBetween(before, now).candidate, { requests: 11, errors: 4, latency: [2, 2, 7] });
});

test('a program that started again is recognised by any counter that fell', () => {
  const before = reading({ a: counted(10, 5, [1, 2, 10]) });
  const now = reading({ a: counted(40, 0, [40, 40, 40]) });
  assert.deepEqual(blockBetween(before, now).candidate, { requests: 40, errors: 0, latency: [40, 0, 0] });
});

test('latencies in different buckets are not compared, the rest is', () => {
  const [before, now] = [0, 10].map((count) =>
    reading(
      { a: counted(count, 0, [count, count, count]) },
      { s: counted(count, 0, [count, count, count]) },
      [100, 400],
    ),
  );
  assert.ok(before !== undefined && now !== undefined);
  assert.deepEqual(blockBetween(before, now), {
    candidate: { requests: 10, errors: 0, latency: [] },
    stable: { requests: 10, errors: 0, latency: [] },
    bounds: undefined,
    since: 0,
    until: { candidate: 0, stable: 0 },
  });
});

test('counters that do not fit together never make more errors than requests, or fewer requests than none', () => {
  const block = blockBetween(reading({ a: counted(10, 0, [5, 5, 10]) }), reading({ a: counted(11, 4, [9, 8, 11]) }));
  assert.deepEqual(block.candidate, { requests: 1, errors: 1, latency: [4, 0, 0] });
});

test('a release of which nothing is counted yet has no buckets to disagree with', () => {
  const before = { ...reading({}, { s: counted(0) }), bounds: { candidate: [], stable: bounds } };
  const now = reading({ a: counted(7, 0, [5, 6, 7]) }, { s: counted(9, 0, [9, 9, 9]) });
  const block = blockBetween(before, now);
  assert.deepEqual(block.candidate, { requests: 7, errors: 0, latency: [5, 1, 1] });
  assert.deepEqual(block.bounds, bounds);
});

test('a block reaches back to when the first of its instances was counted before', () => {
  const before = { ...reading({ a: counted(5, 0, [], 700) }, { idle: counted(9, 0, [], 100) }), at: 1_000 };
  const now = {
    ...reading({ a: counted(6, 0, [], 1_700) }, { idle: counted(9, 0, [], 100), new: counted(1, 0, [], 1_900) }),
    at: 2_000,
  };
  assert.equal(blockBetween(before, now).since, 700, 'one without requests does not count');
  const later = reading({ a: counted(5, 0, [], 1_700), new: counted(1) }, { idle: counted(9, 0, [], 100) });
  assert.equal(blockBetween(before, later).since, -Infinity, 'nobody knows since when a new one has counted');
});

test('an instance that is missing from a reading goes on from what it had counted, for an hour', () => {
  const first = { ...reading({ a: counted(50, 1, [40, 50, 50], 0), b: counted(50) }), at: 0 };
  const gap = { ...reading({ b: counted(60) }), at: 60_000 };
  const memory = remembered(first, gap);
  const back = reading({ a: counted(58, 1, [46, 58, 58]), b: counted(60) });
  assert.deepEqual(blockBetween(memory, back).candidate, { requests: 8, errors: 0, latency: [6, 2, 0] });
  const long = remembered(memory, { ...reading({ b: counted(60) }), at: 3_600_001 });
  assert.deepEqual(Object.keys(long.candidate), ['b']);
});

test('an older scrape of another server for the same counts nothing, and nothing again later', () => {
  const first = reading({ a: counted(100, 1, [], 18_000) }, { s: counted(900, 0, [], 18_000) });
  const older = reading({ a: counted(60, 1, [], 11_000) }, { s: counted(540, 0, [], 11_000) });
  const { candidate, stable } = blockBetween(first, older);
  assert.deepEqual([candidate.requests, candidate.errors, stable.requests], [0, 0, 0]);
  const next = reading({ a: counted(110, 1, [], 33_000) }, { s: counted(990, 0, [], 33_000) });
  const block = blockBetween(remembered(first, older), next);
  assert.deepEqual([block.candidate.requests, block.stable.requests], [10, 90]);
});

test('what stable had counted before anybody looked, or before it started again, is of no block', () => {
  const before = reading({}, { s: counted(900) });
  const now = reading({}, { s: counted(5), late: counted(10_000_000, 500_000) });
  assert.equal(blockBetween(before, now).stable.requests, 0);
});

test('what was counted in other buckets is no latency of these', () => {
  const memory = remembered(reading({ a: counted(10, 0, [1, 2, 10]) }), {
    ...reading({ b: counted(1, 0, [1, 1]) }),
    bounds: { candidate: [9], stable: bounds },
  });
  const back = { ...reading({ a: counted(12, 0, [9, 12]) }), bounds: { candidate: [9], stable: bounds } };
  assert.deepEqual(blockBetween(memory, back).candidate, { requests: 2, errors: 0, latency: [0, 0] });
});

test('over any history every request is in one block, but those between the last scrape of a program and its end', () => {
  const step = tuple(nat(1_000), nat(50), boolean());
  holds(
    property(array(step, { minLength: 1, maxLength: 40 }), (steps) => {
      let [total, seen, lost, count] = [0, 0, 0, 0];
      let before = reading({ a: counted(0) });
      for (const [more, unseen, restarts] of steps) {
        if (restarts) {
          // What it counted after the last scrape is gone with it, unless it has counted more than before meanwhile.
          total += unseen;
          lost += unseen;
          count = 0;
        }
        const wasCount = before.candidate['a']?.requests ?? 0;
        const hidden = restarts && more >= wasCount ? wasCount : 0;
        count += more;
        total += more;
        lost += hidden;
        const now = reading({ a: counted(count) });
        seen += blockBetween(before, now).candidate.requests;
        before = now;
      }
      assert.equal(seen, total - lost);
    }),
  );
});

test('the gate judges scrapes as it judges requests: a bad candidate is out, although its instances start again', () => {
  const gate = gatePresets.default;
  const state = startGate(gate, { candidate: 'shop@new', stable: 'shop@old', at: 0, bounds });
  stageStarted(gate, state, { at: 0, share: 1_000 });
  const at = (scrape: number): CounterReading => {
    const own = scrape % 4;
    return reading(
      { a: counted(own * 10, own * 2, [own * 8, own * 8, own * 8]) },
      { s: counted(scrape * 90, Math.floor(scrape / 10), [scrape * 80, scrape * 90, scrape * 90]) },
    );
  };
  for (let scrape = 1; scrape <= 20 && state.failed === undefined; scrape += 1)
    addReading(gate, state, scrape * 15_000, blockBetween(at(scrape - 1), at(scrape)));
  assert.equal(state.failed?.metric, 'errors');
});
