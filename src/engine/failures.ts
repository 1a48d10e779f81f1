// Failures that the engine tells people about.

import { Failure } from '../base/failure.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import { scopeName, type Scope } from '../core/scope.ts';
import type { Lease } from '../ports/store.ts';

export function unknownDeployment(id: string): Failure {
  return new Failure('deployment.unknown', `there is no deployment ${id}`, {
    at: id,
    remedy: 'List deployments with `sluice history`.',
  });
}

export function lockedFailure(scope: Scope, lease: Lease | undefined, active: Rollout | undefined): Failure {
  const who =
    lease === undefined
      ? 'another controller'
      : `${lease.holder.controller} (process ${lease.holder.pid} on ${lease.holder.host})`;
  const what =
    active === undefined
      ? 'work of its own'
      : `deployment ${active.id} of ${active.plan.candidate.id}, ordered by ${active.createdBy}, now ${active.status}`;
  return new Failure('deployment.locked', `${scopeName(scope)} is locked by ${who} for ${what}`, {
    at: scopeName(scope),
    remedy: active === undefined ? waitFor : followOrEnd,
    details: {
      holder: lease?.holder ?? null,
      since: active?.createdAt ?? lease?.since ?? null,
      ...deploymentDetails(active),
    },
  });
}

const waitFor = 'Look with `sluice status`; ask again when it is done.';
const followOrEnd = 'Follow it with `sluice status --watch`; end it with `sluice abort`.';

function deploymentDetails(active: Rollout | undefined) {
  return {
    deployment: active?.id ?? null,
    status: active?.status ?? null,
    actor: active?.createdBy ?? null,
  };
}

export function noDeployment(scope: Scope): Failure {
  return new Failure('deployment.none', `no deployment of ${scopeName(scope)} is under way`, {
    at: scopeName(scope),
    remedy: 'Look with `sluice status`.',
  });
}

export function planChanged(wanted: string, now: string): Failure {
  return new Failure('plan.changed', `what would be done now is no longer the plan ${wanted}`, {
    at: 'planDigest',
    remedy: 'Look at it again with `sluice plan`.',
    details: { now },
  });
}

export function leaseLost(deployment: string): Failure {
  return new Failure('lease.lost', `another controller has taken ${deployment} over`, {
    at: deployment,
    remedy: 'Look with `sluice status`.',
  });
}
