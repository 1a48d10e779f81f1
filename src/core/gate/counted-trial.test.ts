// Trials whose requests are counted by a metric source.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canary, planWith, release } from '../../../test/engine/specs.ts';
import type { CounterReading, CumulativeCounts } from '../metrics/counter-reading.ts';
import { assessCounters } from './assess-counters.ts';
import type { CounterFeed, StatisticalCheck } from './check.ts';
import { gatePresets } from './statistics/settings.ts';
import { addCounted, addPast, beginHold, beginTrial, statisticsOf, type Trial } from './trial.ts';

const feed: CounterFeed = {
  source: 'main',
  selection: { requests: 'r', errors: 'e', buckets: 'b', unitMs: 1000, instance: 'instance' },
  intervalMs: 5_000,
};
const check: StatisticalCheck = {
  kind: 'statistical',
  preset: 'low-traffic',
  gate: gatePresets['low-traffic'],
  counters: feed,
};
const plan = planWith({ strategy: canary, gates: [check] }, { stable: release('old') });
const bounds = [100, 500];

/** So many requests, all answered within 100 ms. */
function counted(
  requests: number,
  errors: number,
  at: number,
  upTo: readonly number[] = quick(requests),
): CumulativeCounts {
  return { requests, errors, upTo, at };
}

const quick = (requests: number): readonly number[] => [requests, requests, requests];

interface Scrape {
  readonly at: number;
  readonly candidate?: readonly [requests: number, errors: number];
  readonly stable?: readonly [requests: number, errors: number];
}

function reading({ at, candidate, stable }: Scrape, ofCandidate = bounds): CounterReading {
  return {
    at,
    candidate: candidate === undefined ? {} : { c: counted(candidate[0], candidate[1], at) },
    stable: stable === undefined ? {} : { s: counted(stable[0], stable[1], at) },
    bounds: { candidate: candidate === undefined ? [] : ofCandidate, stable: stable === undefined ? [] : bounds },
  };
}

/** A trial at the beginning of a hold with 10 % of the traffic, read once just before. */
function inHold(enteredAt = 10_000): Trial {
  const trial = beginTrial('d-1', check);
  addCounted(trial, plan, check, reading({ at: enteredAt - 1_000, stable: [1_000, 1] }));
  beginHold(trial, plan, { id: 'd-1/1', enteredAt }, 1_000);
  return trial;
}

test('what stable counted before is its history, with the buckets that it has', () => {
  const trial = beginTrial('d-1', check);
  assert.ok(!('history' in trial));
  addPast(
    trial,
    [0, 1, 2].map((step) => reading({ at: step * 30_000, stable: [step * 100, step] })),
  );
  assert.deepEqual(trial.history?.counts, { requests: 200, errors: 2, latency: [200, 0, 0] });
  addCounted(trial, plan, check, reading({ at: 65_000, candidate: [3, 3], stable: [205, 2] }));
  addCounted(trial, plan, check, reading({ at: 70_000, candidate: [4, 4], stable: [210, 2] }));
  assert.equal(trial.history?.counts.requests, 205, 'checks of a candidate without traffic are nobody’s requests');
  beginHold(trial, plan, { id: 'd-1/1', enteredAt: 71_000 }, 1_000);
  assert.deepEqual([trial.gate?.bounds, trial.history], [bounds, undefined]);
});

test('a candidate that fails behind good answers is out, and the reading says that it failed', () => {
  const trial = inHold();
  const failed: boolean[] = [];
  for (let scrape = 0; scrape < 6; scrape += 1)
    failed.push(
      addCounted(
        trial,
        plan,
        check,
        reading({ at: 11_000 + scrape * 1_000, candidate: [scrape * 5, scrape * 2], stable: [1_000 + scrape * 45, 1] }),
      ),
    );
  assert.deepEqual(failed, [false, true, true, true, true, true]);
  assert.equal(statisticsOf(trial, check, 17_000)?.reason, 'errors');
});

test('counts that reach back behind the stage speak against the candidate, and for nothing', () => {
  const trial = inHold();
  const { gate } = trial;
  assert.ok(gate !== undefined);
  // Counted from 9 s on, the stage began at 10 s.
  addCounted(trial, plan, check, reading({ at: 11_000, candidate: [200, 0], stable: [2_800, 1] }));
  assert.equal(gate.wealth.promotion.errors, 0);
  assert.deepEqual([gate.stage.candidate, gate.stage.stable], [0, 0]);
  assert.equal(gate.totals.candidate.requests, 200);
  addCounted(trial, plan, check, reading({ at: 12_000, candidate: [300, 0], stable: [3_700, 1] }));
  assert.ok(gate.wealth.promotion.errors > 0);
  assert.deepEqual([gate.stage.candidate, gate.stage.stable], [100, 900]);
});

test('an outage of both that one reading shows of the candidate and the next of stable blames nobody', () => {
  const trial = inHold();
  const scrapes: readonly Scrape[] = [
    { at: 11_000, candidate: [0, 0], stable: [1_000, 1] },
    { at: 26_000, candidate: [150, 20], stable: [2_350, 1] },
    { at: 41_000, candidate: [300, 20], stable: [3_700, 181] },
    { at: 56_000, candidate: [450, 20], stable: [5_050, 181] },
  ];
  for (const scrape of scrapes) {
    const { stable, ...others } = reading(scrape);
    const { s } = stable;
    assert.ok(s !== undefined);
    addCounted(trial, plan, check, { ...others, stable: { s: { ...s, at: scrape.at - 5_000 } } });
    assert.notEqual(statisticsOf(trial, check, scrape.at)?.outcome, 'fail', `at ${scrape.at}`);
  }
});

test('what stable was not counted for yet, or never is again, decides when it is, or after a minute', () => {
  const fails = (stableAt: (at: number) => number): readonly number[] => {
    const trial = inHold();
    return [11_000, 26_000, 31_000, 60_000, 90_000].filter((at) => {
      const { stable, ...others } = reading({
        at,
        candidate: [at / 100 - 110, at / 200 - 55],
        stable: [1_000 + at / 10, 1],
      });
      const { s } = stable;
      assert.ok(s !== undefined);
      addCounted(trial, plan, check, { ...others, stable: { s: { ...s, at: stableAt(at) } } });
      return statisticsOf(trial, check, at)?.outcome === 'fail';
    });
  };
  assert.deepEqual(
    fails((at) => at),
    [26_000, 31_000, 60_000, 90_000],
  );
  assert.deepEqual(
    fails((at) => at - 4_000),
    [31_000, 60_000, 90_000],
  );
  assert.deepEqual(
    fails(() => 11_000),
    [90_000],
  );
});

test('the buckets that are compared are those of stable, and without them nothing begins', () => {
  const trial = beginTrial('d-1', check);
  const bare = { ...reading({ at: 9_000, stable: [1_000, 0] }), bounds: { candidate: [], stable: [] } };
  addCounted(trial, plan, check, bare);
  beginHold(trial, plan, { id: 'd-1/1', enteredAt: 10_000 }, 1_000);
  assert.ok(!('gate' in trial));
  addCounted(trial, plan, check, reading({ at: 11_000, candidate: [1, 0], stable: [1_009, 0] }));
  assert.deepEqual(trial.gate?.bounds, bounds);
});

test('requests from the warm-up that a late reading brings are no slow ones', () => {
  const own = { ...check, gate: { ...check.gate, warmUpMs: 60_000 } };
  const trial = inHold();
  const slow = (requests: number, at: number): CounterReading => ({
    ...reading({ at, stable: [1_000 + requests * 9, 1] }),
    candidate: { c: counted(requests, 0, at, [0, 0, requests]) },
    bounds: { candidate: bounds, stable: bounds },
  });
  for (const at of [11_000, 30_000, 100_000, 115_000]) addCounted(trial, plan, own, slow(at / 100, at));
  assert.ok((trial.gate?.wealth.promotion.warm.p95 ?? 0) < 0, 'those behind it are');
  const early = inHold();
  for (const at of [11_000, 30_000, 100_000]) addCounted(early, plan, own, slow(at / 100, at));
  assert.equal(early.gate?.wealth.promotion.warm.p95, 0);
});

test('a source that answers only in the middle of a hold begins there, and one that never does proves nothing', () => {
  const trial = beginTrial('d-1', check);
  beginHold(trial, plan, { id: 'd-1/1', enteredAt: 10_000 }, 1_000);
  assert.ok(!('gate' in trial));
  assert.equal(statisticsOf(trial, check, 20_000), undefined);
  addCounted(trial, plan, check, reading({ at: 20_000, candidate: [50, 50], stable: [450, 0] }));
  assert.equal(trial.gate?.stage.share, 1_000);
  assert.equal(trial.gate?.totals.candidate.requests, 0, 'nobody knows since when those were counted');
  addCounted(trial, plan, check, reading({ at: 25_000, candidate: [60, 50], stable: [540, 0] }));
  assert.equal(trial.gate?.totals.candidate.requests, 10);
});

test('a trial goes on from what was written down, and counts nothing twice', () => {
  const before = inHold();
  addCounted(before, plan, check, reading({ at: 11_000, candidate: [10, 0], stable: [1_090, 1] }));
  const trial = JSON.parse(JSON.stringify(before)) as Trial;
  addCounted(trial, plan, check, reading({ at: 30_000, candidate: [25, 1], stable: [1_300, 1] }));
  assert.deepEqual(
    [trial.gate?.totals.candidate.requests, trial.gate?.totals.candidate.errors, trial.gate?.totals.stable.requests],
    [25, 1, 300],
  );
});

test('a release whose scrape fails for a moment is not counted again from 0', () => {
  const trial = inHold();
  addCounted(trial, plan, check, reading({ at: 11_000, candidate: [40, 1], stable: [1_360, 1] }));
  addCounted(trial, plan, check, reading({ at: 12_000, stable: [1_720, 1] }));
  addCounted(trial, plan, check, reading({ at: 13_000, candidate: [80, 1], stable: [2_080, 1] }));
  assert.deepEqual([trial.gate?.totals.candidate.requests, trial.gate?.totals.candidate.errors], [80, 1]);
});

test('buckets that differ compare no latency, and say so', () => {
  const trial = inHold();
  for (const at of [11_000, 12_000])
    addCounted(trial, plan, check, reading({ at, candidate: [at / 100, 0], stable: [at / 10, 1] }, [200, 500]));
  assert.deepEqual(trial.gate?.totals.candidate.latency, [0, 0, 0]);
  const verdict = assessCounters(
    { counted: trial.counted },
    { feed, staleMs: 60_000, alone: false, instances: 1 },
    12_000,
  );
  assert.equal(verdict.outcome, 'inconclusive');
  assert.match(verdict.reason, /has other buckets than stable’s \(200, 500 against 100, 500 ms\)/);
});

test('without a histogram errors alone decide, in favour too', () => {
  const { buckets: _, ...errorsOnly } = feed.selection;
  const own: StatisticalCheck = { ...check, counters: { ...feed, selection: errorsOnly } };
  const trial = beginTrial('d-1', own);
  const bare = (scrape: Scrape): CounterReading => ({ ...reading(scrape), bounds: { candidate: [], stable: [] } });
  addCounted(trial, plan, own, bare({ at: 9_000, stable: [1_000, 0] }));
  beginHold(trial, plan, { id: 'd-1/1', enteredAt: 10_000 }, 1_000);
  addCounted(trial, plan, own, bare({ at: 11_000, candidate: [0, 0], stable: [1_000, 0] }));
  addCounted(trial, plan, own, bare({ at: 59_000, candidate: [400, 0], stable: [4_600, 0] }));
  addCounted(trial, plan, own, bare({ at: 60_000, candidate: [410, 0], stable: [4_690, 0] }));
  const verdict = statisticsOf(trial, own, 60_000);
  assert.equal(verdict?.outcome, 'pass', verdict?.reason);
  const { promotion, candidate } = verdict?.evidence ?? assert.fail();
  assert.deepEqual([promotion.p95, promotion.p99, candidate.p95], [undefined, undefined, undefined]);
  const judged = assessCounters(
    { counted: trial.counted },
    { feed: own.counters ?? feed, staleMs: 1_000, alone: false, instances: 1 },
    60_000,
  );
  assert.equal(judged.outcome, 'pass', judged.reason);
});

test('counters that are missing, old or of nobody hold everything, and each says why', () => {
  const at = 100_000;
  const whole = reading({ at, candidate: [1, 0], stable: [1, 0] });
  const said = (seen: Parameters<typeof assessCounters>[0], alone = false, now = at, more = {}): string => {
    const { outcome, reason } = assessCounters(seen, { feed, staleMs: 60_000, alone, instances: 1, ...more }, now);
    return `${outcome}: ${reason}`;
  };
  const none = { kind: 'none', reason: 'unreachable', words: 'nobody is there' } as const;
  const old = { ...whole, candidate: { c: counted(1, 0, at - 61_000) } };
  assert.match(
    said({ counted: whole }),
    /^pass: main counts the requests of 1 instance of the candidate and 1 instance of stable$/,
  );
  assert.match(said({}), /^inconclusive: the counters have not been read yet$/);
  assert.match(said({ counted: whole, none }), /^inconclusive: unreachable: nobody is there \(main\)$/);
  assert.match(said({ counted: whole }, false, at + 70_001), /^inconclusive: the counters were last read 70 s ago$/);
  assert.match(said({ counted: old }), /^inconclusive: stale: the candidate was last counted 61 s ago \(main\)$/);
  assert.match(said({ counted: reading({ at, stable: [1, 0] }) }), /empty: there are no counters of the candidate/);
  const gone = { ...reading({ at, candidate: [1, 0] }) };
  assert.match(said({ counted: gone }), /empty: there are no counters of stable/);
  assert.match(said({ counted: gone }, true), /^pass/);
  const two = { ...whole, candidate: { ...whole.candidate, busy: counted(1, 0, at - 61_000) } };
  assert.match(
    said({ counted: two }, false, at, { instances: 2 }),
    /incomplete: only 1 of 2 instances of the candidate/,
  );
  assert.match(said({ counted: two }), /^pass: main counts the requests of 1 instance of/, 'one that was replaced');
  assert.match(
    said({ counted: whole }, true, at, { stageAt: at + 1 }),
    /stale: the candidate has not been counted since/,
  );
  assert.match(
    said({ counted: whole }, false, at, { compared: [7] }),
    /incomplete: stable has other buckets than when/,
  );
});
