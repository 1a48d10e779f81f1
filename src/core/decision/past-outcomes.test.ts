import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PastDeployment, pastOutcomes } from './past-outcomes.ts';

function deployment(
  status: PastDeployment['status'],
  candidate: string,
  more: Partial<PastDeployment> & { readonly strategy?: PastDeployment['plan']['strategy']; stable?: string } = {},
): PastDeployment {
  const { strategy = 'canary', stable, failure } = more;
  return {
    status,
    failure,
    plan: { strategy, candidate: { id: candidate }, ...(stable !== undefined && { stable: { id: stable } }) },
  };
}

test('what went back by the release’s own fault failed; a person, a router or a score that was too low says nothing', () => {
  assert.deepEqual(
    pastOutcomes([
      deployment('CANARY', 'v6'),
      deployment('ROLLED_BACK', 'v5', { failure: { code: 'gate.failed' } }),
      deployment('ROLLED_BACK', 'v4'),
      deployment('ROLLED_BACK', 'v4', { failure: { code: 'router.unreachable' } }),
      deployment('ROLLED_BACK', 'v4', { failure: { code: 'confidence.low' } }),
      deployment('ROLLED_BACK', 'v3', { failure: { code: 'instance.crashed' } }),
      deployment('VERIFIED', 'v2'),
      deployment('VERIFIED', 'v2', { strategy: 'same' }),
      deployment('VERIFIED', 'v1', { strategy: 'first' }),
    ]),
    ['failed', 'failed', 'held', 'held'],
  );
});

test('a release that was left by a rollback failed after all, and only the deployment that was left', () => {
  assert.deepEqual(
    pastOutcomes([
      deployment('VERIFIED', 'v1', { strategy: 'rollback', stable: 'v2' }),
      deployment('VERIFIED', 'v2'),
      deployment('VERIFIED', 'v1'),
      deployment('VERIFIED', 'v2'),
    ]),
    ['failed', 'held', 'held'],
  );
});
