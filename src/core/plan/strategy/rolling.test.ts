// Properties of rolling batches: whatever the numbers, the bounds hold at every moment and the end is reached.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { planWith, rolling } from '../../../../test/engine/specs.ts';
import type { Plan } from '../plan.ts';
import type { RollingStrategy } from '../spec.ts';
import { batches, boundsOf } from './rolling.ts';

const settings = fc
  .record({
    wanted: fc.integer({ min: 1, max: 12 }),
    running: fc.integer({ min: 1, max: 15 }),
    minAvailable: fc.integer({ min: 0, max: 12 }),
    maxSurge: fc.integer({ min: 0, max: 6 }),
    maxUnavailable: fc.integer({ min: 0, max: 6 }),
  })
  .filter(({ maxSurge, maxUnavailable }) => maxSurge + maxUnavailable > 0);

type Settings = typeof settings extends fc.Arbitrary<infer T> ? T : never;

function strategyOf({ maxSurge, maxUnavailable }: Settings): RollingStrategy {
  return { ...rolling, maxSurge, maxUnavailable };
}

const runs = { seed: 7, numRuns: 1_000 };

test('the floor is never nothing, and there is always room for one more than the floor', () => {
  fc.assert(
    fc.property(settings, (drawn) => {
      const { floor, room } = boundsOf(drawn.wanted, drawn.minAvailable, strategyOf(drawn));
      assert.ok(floor >= 1 && floor >= drawn.wanted - drawn.maxUnavailable);
      assert.ok(floor >= Math.min(drawn.minAvailable, drawn.wanted));
      assert.ok(room > floor && room >= drawn.wanted + drawn.maxSurge);
    }),
    runs,
  );
});

test('batches end with as many new instances as are wanted and no old one', () => {
  fc.assert(
    fc.property(settings, (drawn) => {
      const all = batches(drawn.wanted, drawn.running, boundsOf(drawn.wanted, drawn.minAvailable, strategyOf(drawn)));
      assert.ok(all.length >= 1 && all.length <= drawn.wanted);
      assert.deepEqual(
        { ...all.at(-1), stableBefore: 0 },
        { stableBefore: 0, candidate: drawn.wanted, stableAfter: 0 },
      );
      let [candidate, stable] = [0, drawn.running];
      for (const batch of all) {
        assert.ok(batch.candidate > candidate, 'each batch brings something new');
        assert.ok(batch.stableBefore <= stable && batch.stableAfter <= batch.stableBefore, 'old ones never come back');
        ({ candidate, stableAfter: stable } = batch);
      }
    }),
    runs,
  );
});

/** How many run and how many serve of each release, and the share, after every step of a plan. */
function* walk(plan: Plan, running: number) {
  const now = { stable: { running, serving: running }, candidate: { running: 0, serving: 0 }, share: 0 };
  for (const { step } of plan.steps) {
    if (step.kind === 'start') now[step.role] = { running: step.instances, serving: step.instances };
    if (step.kind === 'drain') now[step.role].serving = Math.min(now[step.role].serving, step.keep);
    if (step.kind === 'stop') now[step.role].running = Math.min(now[step.role].running, step.keep);
    if (step.kind === 'shift') now.share = step.share;
    yield { step, now: structuredClone(now) };
  }
}

test('while rolling never more run than there is room for, and never fewer serve than the floor', () => {
  fc.assert(
    fc.property(settings, (drawn) => {
      const { wanted, running, minAvailable } = drawn;
      const strategy = strategyOf(drawn);
      const { floor, room } = boundsOf(wanted, minAvailable, strategy);
      const plan = planWith(
        { strategy, instances: wanted, minAvailable },
        { stableInstances: running, stableWanted: running },
      );
      for (const { step, now } of walk(plan, running)) {
        const all = now.stable.running + now.candidate.running;
        assert.ok(all <= Math.max(room, running), `never more than ${room} running, but ${all} after ${step.kind}`);
        const serving = now.stable.serving + now.candidate.serving;
        const least = Math.min(floor, running);
        assert.ok(serving >= least, `never fewer than ${least} serving, but ${serving} after ${step.kind}`);
        if (step.kind === 'stop') assert.equal(now.stable.running, now.stable.serving, 'what stops is out of traffic');
      }
    }),
    runs,
  );
});

test('the share follows the instances and never falls', () => {
  fc.assert(
    fc.property(settings, (drawn) => {
      const { wanted, running, minAvailable } = drawn;
      const plan = planWith(
        { strategy: strategyOf(drawn), instances: wanted, minAvailable },
        { stableInstances: running, stableWanted: running },
      );
      let share = 0;
      for (const { step, now } of walk(plan, running)) {
        assert.ok(now.share >= share, 'the share never falls');
        share = now.share;
        if (share > 0) assert.ok(now.candidate.serving > 0, 'no traffic without an instance');
        if (share < 10_000) assert.ok(now.stable.serving > 0, 'no traffic owed to a release that is gone');
        if (step.kind !== 'drain') continue;
        const fair = (10_000 * now.candidate.serving) / (now.candidate.serving + now.stable.serving);
        assert.ok(share === 0 || share >= Math.floor(fair), 'what has left is owed nothing');
      }
      assert.equal(share, 10_000);
    }),
    runs,
  );
});
