import assert from 'node:assert/strict';
import test from 'node:test';

import * as fc from 'fast-check';

import { allTraffic } from '../routes.ts';
import { startTurns, takeTurn } from './weighted-turns.ts';

const take = (weights: readonly number[], count: number): number[] => {
  const turns = startTurns(weights);
  return Array.from({ length: count }, () => takeTurn(turns));
};

/** Weights of `groups` groups that add up to 10,000. */
const shares = (groups: number): fc.Arbitrary<number[]> =>
  fc
    .array(fc.integer({ min: 0, max: allTraffic }), { minLength: groups - 1, maxLength: groups - 1 })
    .map((cuts) => [0, ...cuts.sort((a, b) => a - b), allTraffic])
    .map((cuts) => cuts.slice(1).map((cut, index) => cut - (cuts[index] ?? 0)));

/** The largest distance, over all windows that start at a turn, between a group's turns and its share of the window. */
const worstWindow = (weights: readonly number[], taken: readonly number[]): number =>
  Math.max(
    ...weights.map((weight, group) => {
      let ahead = 0;
      let lowest = 0;
      let highest = 0;
      for (const index of taken) {
        ahead += (index === group ? allTraffic : 0) - weight;
        lowest = Math.min(lowest, ahead);
        highest = Math.max(highest, ahead);
      }
      return (highest - lowest) / allTraffic;
    }),
  );

test('every window of 10,000 turns gives each group exactly its basis points', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }).chain(shares), fc.nat(3000), (weights, skip) => {
      const counts = weights.map(() => 0);
      for (const index of take(weights, allTraffic + skip).slice(skip)) counts[index] = (counts[index] ?? 0) + 1;
      assert.deepEqual(counts, weights);
    }),
    { numRuns: 40 },
  );
});

test('in no window do two groups deviate by more than one turn from their share of it', () => {
  fc.assert(
    fc.property(shares(2), (weights) => {
      assert.ok(worstWindow(weights, take(weights, allTraffic)) <= 1);
    }),
    { numRuns: 40 },
  );
});

test('in no window does any number of groups deviate by two turns or more', () => {
  fc.assert(
    fc.property(fc.integer({ min: 3, max: 7 }).chain(shares), (weights) => {
      assert.ok(worstWindow(weights, take(weights, allTraffic)) < 2);
    }),
    { numRuns: 40 },
  );
});

test('one per cent comes once in each hundred turns, in the middle of it', () => {
  const taken = take([9_900, 100], 300);
  assert.deepEqual(
    taken.flatMap((index, turn) => (index === 1 ? [turn] : [])),
    [50, 150, 250],
  );
});

test('nobody has a turn when nobody has a share', () => {
  assert.deepEqual(take([], 2), [-1, -1]);
  assert.deepEqual(take([0, 0], 2), [-1, -1]);
});
