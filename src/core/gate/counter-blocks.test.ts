import assert from 'node:assert/strict';
import { test } from 'node:test';
import { array, assert as holds, boolean, nat, property, tuple } from 'fast-check';
import { blockBetween, type CounterReading, type CumulativeCounts } from './counter-blocks.ts';
import { addReading, stageStarted, startGate } from './statistics/gate.ts';
import { gatePresets } from './statistics/settings.ts';

const bounds = [100, 500];

function counted(requests: number, errors = 0, upTo: readonly number[] = [0, 0, 0]): CumulativeCounts {
  return { requests, errors, upTo };
}

function reading(
  candidate: CounterReading['candidate'],
  stable: CounterReading['stable'] = {},
  stableBounds: readonly number[] = bounds,
): CounterReading {
  return { bounds: { candidate: bounds, stable: stableBounds }, candidate, stable };
}

test('a block is what was counted between two scrapes, each bucket by itself', () => {
  const block = blockBetween(
    reading({ a: counted(100, 1, [60, 90, 100]) }, { s: counted(1_000, 9, [1_000, 1_000, 1_000]) }),
    reading({ a: counted(130, 3, [80, 115, 130]) }, { s: counted(1_300, 9, [1_200, 1_290, 1_300]) }),
  );
  assert.deepEqual(block, {
    candidate: { requests: 30, errors: 2, latency: [20, 5, 5] },
    stable: { requests: 300, errors: 0, latency: [200, 90, 10] },
    hasLatency: true,
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
    hasLatency: false,
  });
});

test('counters that do not fit together never make more errors than requests, or fewer requests than none', () => {
  const block = blockBetween(reading({ a: counted(10, 0, [5, 5, 10]) }), reading({ a: counted(11, 4, [9, 8, 11]) }));
  assert.deepEqual(block.candidate, { requests: 1, errors: 1, latency: [4, 0, 0] });
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
