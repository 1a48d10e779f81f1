import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, planWith, release } from '../../../test/engine/specs.ts';
import { planDigest } from './digest.ts';

/** The same value with the members of every object in reverse order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
}

test('the digest does not depend on the order of keys, nor on members that are undefined', () => {
  const plan = planWith({ strategy: canary });
  const digest = planDigest(plan);
  assert.match(digest, /^sha256:[0-9a-f]{64}$/);
  assert.equal(planDigest(reversed(plan) as typeof plan), digest);
  assert.equal(planDigest(JSON.parse(JSON.stringify(plan)) as typeof plan), digest);
  assert.equal(planDigest({ ...plan, candidate: { ...plan.candidate, label: undefined } }), digest);
});

test('anything that would be done otherwise has another digest', () => {
  const plans = [
    planWith(),
    planWith({ strategy: canary }),
    planWith({ instances: 3 }),
    planWith({ strategy: { ...blueGreen, keepOldMs: 0 } }),
    planWith({}, { candidate: release('other') }),
    planWith({}, { stable: release('other') }),
    planWith({}, { candidateStored: false }),
    planWith({ drainMs: 1 }),
  ];
  assert.equal(new Set(plans.map(planDigest)).size, plans.length);
});
