// Reads from earlier deployments how their releases turned out.

import type { FailureCode } from '../../base/failure-catalogue.ts';
import type { StrategyName } from '../plan/plan.ts';
import type { Status } from '../rollout/status.ts';
import type { PastOutcome } from './facts.ts';

/** As much of a deployment as tells how its release turned out. */
export interface PastDeployment {
  readonly status: Status;
  readonly plan: {
    readonly strategy: StrategyName;
    readonly stable?: { readonly id: string } | undefined;
    readonly candidate: { readonly id: string };
  };
  /** Why it went back; undefined where a person did not want it any more. */
  readonly failure?: { readonly code: FailureCode } | undefined;
}

/** Failures that are the release's own. */
const ofTheRelease: ReadonlySet<FailureCode> = new Set<FailureCode>([
  'instance.crashed',
  'instance.unhealthy',
  'instance.command',
  'validation.failed',
  'gate.failed',
]);

/**
 * Newest first, as they come. A deployment failed when its instances, validation or gates sent it back, or when it was left by a
 * rollback later. A person who aborts, a router that is away or a score that is too low says nothing about how the release would have
 * done, and what is under way is not known yet.
 */
export function pastOutcomes(deployments: readonly PastDeployment[]): readonly PastOutcome[] {
  const outcomes: PastOutcome[] = [];
  const left = new Set<string>();
  for (const { status, plan, failure } of deployments) {
    if (plan.strategy === 'rollback') {
      if (status === 'VERIFIED' && plan.stable !== undefined) left.add(plan.stable.id);
      continue;
    }
    if (plan.strategy === 'same') continue;
    if (status === 'VERIFIED') outcomes.push(left.delete(plan.candidate.id) ? 'failed' : 'held');
    else if (failure !== undefined && ofTheRelease.has(failure.code)) outcomes.push('failed');
  }
  return outcomes;
}
