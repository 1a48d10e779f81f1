import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fewErrors, planWith } from '../../../test/engine/specs.ts';
import { describeStep } from './describe-step.ts';
import type { HoldStep, Step } from './step.ts';
import { releaseOf } from './step.ts';

const hold: HoldStep = {
  kind: 'hold',
  name: 'stage 1 of 2',
  atLeastMs: 90_000,
  requests: 500,
  maxMs: 600_000,
  checks: [fewErrors],
  noData: 'hold',
  promotion: 'automatic',
};

const sentences: readonly (readonly [Step, string])[] = [
  [{ kind: 'stage' }, 'copy shop@new into the release store'],
  [{ kind: 'shift', share: 1_250 }, '12.5 % of traffic to shop@new'],
  [{ kind: 'shift', share: 0 }, 'all traffic to shop@old'],
  [{ kind: 'wait', forMs: 1_500, why: 'switch delay' }, 'wait 1.5s (switch delay)'],
  [
    { kind: 'validate', role: 'stable', through: 'service', checks: 3 },
    'validate shop@old through the router: 3 checks',
  ],
  [hold, 'stage 1 of 2: at least 1m30s, 500 requests, 1 gate'],
  [{ ...hold, requests: 0, checks: [] }, 'stage 1 of 2: at least 1m30s'],
  [{ ...hold, promotion: 'manual', checks: [] }, 'stage 1 of 2: wait for `sluice promote`'],
  [{ kind: 'promote', keepOldMs: 0 }, 'promote shop@new'],
];

for (const [step, sentence] of sentences) {
  test(`a step reads: ${sentence}`, () => {
    assert.equal(describeStep({ status: 'DEPLOYING', step }, planWith()), sentence);
  });
}

test('the role of a step names its release, and the only one there is at a first deployment', () => {
  assert.equal(releaseOf('candidate', 'new', 'old'), 'new');
  assert.equal(releaseOf('stable', 'new', 'old'), 'old');
  assert.equal(releaseOf('stable', 'new', undefined), 'new');
});

test('an image is not copied, but made sure of', () => {
  const plan = planWith();
  const artifact = { kind: 'image', repository: 'ghcr.io/acme/shop', digest: `sha256:${'ab'.repeat(32)}` } as const;
  assert.equal(
    describeStep(
      { step: { kind: 'stage' }, status: 'BUILDING' },
      { ...plan, candidate: { ...plan.candidate, artifact } },
    ),
    'make sure of the image of shop@new',
  );
});
