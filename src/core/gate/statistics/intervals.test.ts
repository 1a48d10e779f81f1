import assert from 'node:assert/strict';
import { test } from 'node:test';
import { binomial, createRandom } from '../../../../test/bench/gates/random.ts';
import { latencyBounds, createHistogram, addLatency } from '../histogram.ts';
import { addToDifference, differenceInterval, noDifference } from './difference.ts';
import { rateInterval } from './mixture.ts';
import { quantileInterval } from './quantile-interval.ts';
import { splitOf } from './split.ts';

interface Rates {
  readonly candidate: number;
  readonly stable: number;
}

/** The interval after each of 150 blocks of 40 and 160 requests; the rates may change from block to block. */
function* intervals(seed: number, ratesAt: (block: number) => Rates): Generator<{ low: number; high: number }> {
  const random = createRandom(seed);
  const state = noDifference();
  const totals = { candidate: 0, stable: 0, blocks: 0 };
  for (let block = 0; block < 150; block += 1) {
    const rates = ratesAt(block);
    const [bad, other] = [binomial(random, 40, rates.candidate), binomial(random, 160, rates.stable)];
    const guesses = {
      candidate: (totals.candidate + 0.02) / (40 * totals.blocks + 20),
      stable: (totals.stable + 0.02) / (160 * totals.blocks + 20),
    };
    const counts = (requests: number, errors: number) => ({ requests, errors, latency: [] });
    addToDifference(state, { candidate: counts(40, bad), stable: counts(160, other) }, guesses);
    totals.candidate += bad;
    totals.stable += other;
    totals.blocks += 1;
    yield differenceInterval(state, 0.05);
  }
}

/** In how many of 200 runs the interval ever excluded the true difference. */
function misses(ratesAt: (block: number) => Rates): number {
  let missed = 0;
  for (let seed = 1; seed <= 200; seed += 1) {
    const truth = (block: number): number => ratesAt(block).candidate - ratesAt(block).stable;
    const all = [...intervals(seed, ratesAt)];
    if (all.some(({ low, high }, block) => low > truth(block) + 1e-12 || high < truth(block) - 1e-12)) missed += 1;
  }
  return missed;
}

test('the interval for the difference of error rates holds at all times in at least 95 % of trials', () => {
  assert.ok(misses(() => ({ candidate: 0.01, stable: 0.01 })) <= 14);
  assert.ok(misses(() => ({ candidate: 0.03, stable: 0.01 })) <= 14);
});

test('it holds while both rates drift together', () => {
  const drift = (block: number): number => 0.01 + 0.04 * Math.sin(block / 40) ** 2;
  assert.ok(misses((block) => ({ candidate: drift(block), stable: drift(block) })) <= 14);
});

test('it closes in on the difference from both sides', () => {
  const last = [...intervals(3, () => ({ candidate: 0.06, stable: 0.01 }))].at(-1);
  assert.ok(last !== undefined && last.low >= 0.02 && last.high <= 0.1, JSON.stringify(last));
});

test('the interval of a rate is one at both ends of the scale, and narrows around what was seen', () => {
  for (const [bad, requests] of [
    [0, 1],
    [0, 1000],
    [1, 1000],
    [30, 1000],
    [999, 1000],
    [1000, 1000],
    [5, 200_000],
  ] as const) {
    const { low, high } = rateInterval(bad, requests, 0.05, 1000);
    const seen = bad / requests;
    assert.ok(low >= 0 && low <= seen && seen <= high && high <= 1, `${bad} of ${requests}: ${low} to ${high}`);
    if (requests >= 1000) assert.ok(high - low < 0.1, `${bad} of ${requests}: ${low} to ${high}`);
  }
});

test('nothing is ruled out without requests', () => {
  assert.deepEqual(differenceInterval(noDifference(), 0.05), { low: -1, high: 1 });
});

test('the interval of a quantile contains it and narrows with more requests', () => {
  const random = createRandom(2);
  const histogram = createHistogram();
  const widths: number[] = [];
  for (let index = 1; index <= 20_000; index += 1) {
    addLatency(histogram, 100 * Math.exp(2 * random()));
    if (index !== 50 && index !== 20_000) continue;
    const truth = 100 * Math.exp(2 * 0.95);
    const { lowMs, highMs = Infinity } = quantileInterval(histogram.counts, 0.95, 0.05, latencyBounds);
    assert.ok(lowMs < truth && truth < highMs, `${lowMs} to ${highMs} at ${index}`);
    widths.push(highMs / lowMs);
  }
  assert.ok((widths[1] ?? 9) < 1.6 && (widths[0] ?? 0) > (widths[1] ?? 9), String(widths));
});

test('a high quantile of few requests has no upper limit yet', () => {
  const histogram = createHistogram();
  for (let index = 0; index < 20; index += 1) addLatency(histogram, 100);
  assert.equal(quantileInterval(histogram.counts, 0.99, 0.05, latencyBounds).highMs, undefined);
});

test('a split that is off by chance, or by too little to matter, is no mismatch', () => {
  assert.equal(splitOf(115, 885, 1000, 0.001).mismatch, false);
  assert.equal(splitOf(10_500, 89_500, 1000, 0.001).mismatch, false);
  assert.equal(splitOf(8_000, 92_000, 1000, 0.001).mismatch, true);
  assert.equal(splitOf(0, 0, 1000, 0.001).mismatch, false);
  assert.equal(splitOf(10, 0, 10_000, 0.001).mismatch, false);
});
