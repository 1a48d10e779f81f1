// What a deployment means for its scope: which release is stable, warm and known good afterwards.

import type { DeploySpec } from '../plan/spec.ts';
import { allTraffic } from '../routes.ts';
import type { Rollout } from './rollout.ts';
import { isFinal } from './status.ts';
import { goodOf, type Placement, type Situation } from './situation.ts';

/** The situation after the rollout's newest event. Where the deployment does not count, nothing changes but the revision, and what is warm. */
export function settle(situation: Situation, rollout: Rollout): Situation {
  // What is deployed is not taken away, whatever was ordered before.
  const { removal: _removal, ...known } = situation;
  const { leftBy: _former, ...others } = known;
  const before = isFinal(rollout.status) ? others : known;
  const routed: Situation = { ...before, revision: Math.max(situation.revision, rollout.revision) };
  if (leftAsItIs(rollout)) return { ...routed, leftBy: rollout.id };
  if (rollout.status === 'ROLLED_BACK') return withoutStopped(routed, rollout);
  if (!counts(rollout)) return routed;
  const former = situation.stable;
  const same = former !== undefined && former.release.id === rollout.plan.candidate.id;
  return {
    scope: situation.scope,
    revision: routed.revision,
    stable: { ...placementOf(rollout), since: same ? former.since : rollout.at },
    earlier: same ? situation.earlier : earlierAfter(situation, rollout),
    ...(same ? keptWarm(situation) : warmAfter(former, rollout)),
    ...watchAfter(rollout),
  };
}

/** Going back stops the candidate, also where that was the warm release: then nothing is warm any more. */
function withoutStopped(situation: Situation, rollout: Rollout): Situation {
  const { warm, ...rest } = situation;
  return warm?.placement.release.id === rollout.plan.candidate.id ? rest : situation;
}

/**
 * A deployment counts when it is VERIFIED. So does a rollback that FAILED behind its switch: the traffic stays on what was gone back
 * to until a person has looked, and nothing may take it back to the release that was left. And so does one that FAILED on its way back
 * before any traffic did: stable cannot be brought up again, and what serves must go on.
 */
function counts({ status, course, promoted, share, plan }: Rollout): boolean {
  if (status !== 'FAILED') return status === 'VERIFIED';
  return course === 'forward' ? promoted : plan.stable !== undefined && share === allTraffic;
}

/** Stable has a part of the traffic, and cannot be brought up for the rest: until a person has looked nothing is moved or stopped. */
function leftAsItIs({ status, course, share, plan }: Rollout): boolean {
  return status === 'FAILED' && course === 'back' && plan.stable !== undefined && share > 0 && share < allTraffic;
}

function placementOf(rollout: Rollout): Placement {
  const { candidate, spec } = rollout.plan;
  return { release: candidate, spec, deployment: rollout.id, instances: spec.instances, since: rollout.at };
}

/** A rollback forgets what it went back over, so that a further rollback goes further back and never to the release that was left. */
function earlierAfter(situation: Situation, rollout: Rollout): readonly Placement[] {
  const { candidate, strategy } = rollout.plan;
  if (strategy === 'rollback') {
    const index = situation.earlier.findIndex((placement) => placement.release.id === candidate.id);
    return situation.earlier.slice(index + 1);
  }
  return goodOf(situation).filter((placement) => placement.release.id !== candidate.id);
}

function keptWarm(situation: Situation): Pick<Situation, 'warm'> {
  return situation.warm === undefined ? {} : { warm: situation.warm };
}

function warmAfter(former: Placement | undefined, rollout: Rollout): Pick<Situation, 'warm'> {
  const keepOldMs = keepOldOf(rollout.plan.strategy, rollout.plan.spec);
  if (former === undefined || keepOldMs === 0 || rollout.status === 'FAILED') return {};
  return { warm: { placement: former, until: rollout.at + keepOldMs } };
}

function keepOldOf(strategy: Rollout['plan']['strategy'], spec: DeploySpec): number {
  if (strategy !== 'blue-green' && strategy !== 'canary') return 0;
  return spec.strategy.kind === 'rolling' ? 0 : spec.strategy.keepOldMs;
}

function watchAfter(rollout: Rollout): Pick<Situation, 'watch'> {
  const { forMs } = rollout.plan.spec.watch;
  return forMs === 0 || rollout.status === 'FAILED'
    ? {}
    : { watch: { deployment: rollout.id, until: rollout.at + forMs } };
}
