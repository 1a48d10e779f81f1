import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { addLatency, bucketOf, createHistogram, latencyBounds, mergeHistogram, quantile } from './histogram.ts';

test('a bucket takes its upper bound and nothing above it', () => {
  for (const [index, bound] of latencyBounds.entries()) {
    assert.equal(bucketOf(bound), index);
    assert.equal(bucketOf(bound * 1.0001), index + 1);
  }
  assert.equal(bucketOf(0), 0);
  assert.equal(bucketOf(-5), 0);
  assert.equal(bucketOf(Number.NaN), 0);
  assert.equal(bucketOf(Infinity), latencyBounds.length);
});

test('neighbouring bounds are a factor of 1.25 apart and reach from a tenth of a millisecond to 54 seconds', () => {
  for (const [index, bound] of latencyBounds.entries()) {
    const next = latencyBounds[index + 1];
    if (next !== undefined) assert.ok(Math.abs(next / bound - 1.25) < 1e-9);
  }
  assert.ok((latencyBounds[0] ?? 0) < 0.11 && (latencyBounds.at(-1) ?? 0) > 54_000);
});

test('a quantile is never further from the true one than a factor of 1.25', () => {
  const latencies = fc.array(fc.double({ min: 0.2, max: 50_000, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(latencies, fc.constantFrom(0.5, 0.9, 0.95, 0.99, 1), (values, q) => {
      const histogram = createHistogram();
      for (const value of values) addLatency(histogram, value);
      const sorted = values.toSorted((a, b) => a - b);
      const truth = sorted[Math.ceil(q * sorted.length) - 1] ?? 0;
      const answer = quantile(histogram, q) ?? 0;
      assert.ok(answer / truth <= 1.25 + 1e-9 && truth / answer <= 1.25 + 1e-9, `${answer} for ${truth}`);
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('the 95th percentile of a smooth distribution is a few per cent off at most', () => {
  const histogram = createHistogram();
  for (let index = 1; index <= 10_000; index += 1) addLatency(histogram, 100 * Math.exp(index / 10_000));
  const truth = 100 * Math.exp(0.95);
  assert.ok(Math.abs((quantile(histogram, 0.95) ?? 0) / truth - 1) < 0.03);
});

test('an empty histogram has no quantile', () => {
  assert.equal(quantile(createHistogram(), 0.95), undefined);
});

test('values above the last bound are answered with the longest one seen', () => {
  const histogram = createHistogram();
  addLatency(histogram, 90_000);
  assert.equal(quantile(histogram, 1), 90_000);
});

test('merging two histograms is the same as adding all values to one', () => {
  const [left, right, both] = [createHistogram(), createHistogram(), createHistogram()];
  for (const value of [1, 20, 300]) addLatency(left, value);
  for (const value of [4, 5000]) addLatency(right, value);
  for (const value of [1, 20, 300, 4, 5000]) addLatency(both, value);
  mergeHistogram(left, right);
  assert.deepEqual(left, both);
});

test('a histogram goes on after a round trip through JSON', () => {
  const histogram = createHistogram();
  addLatency(histogram, 12.5);
  assert.deepEqual(JSON.parse(JSON.stringify(histogram)), histogram);
});
