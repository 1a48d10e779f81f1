// The routes that a rollout's state calls for; nothing else computes routes during a deployment.

import type { RouteGroup, RouteRule, Routes } from '../routes.ts';
import { allTraffic } from '../routes.ts';
import type { Rollout } from './rollout.ts';

/** Routes with the revision after the state's; the caller stores that revision with the effect. */
export function routesOf(rollout: Rollout): Routes {
  const { plan, fleet, share } = rollout;
  const groups: RouteGroup[] = [];
  if (plan.stable !== undefined) {
    groups.push({ release: plan.stable.id, share: allTraffic - share, endpoints: fleet.stable.serving });
  }
  if (share > 0 || fleet.candidate.serving.length > 0) {
    groups.push({ release: plan.candidate.id, share, endpoints: fleet.candidate.serving });
  }
  return {
    scope: plan.scope,
    revision: rollout.revision + 1,
    groups,
    rules: rulesOf(rollout),
    ...stickinessOf(rollout),
    ...(rollout.preview ? { preview: plan.candidate.id } : {}),
  };
}

/** Match rules hold as long as the candidate is on trial with traffic of its own. */
function rulesOf(rollout: Rollout): readonly RouteRule[] {
  const { strategy } = rollout.plan.spec;
  if (strategy.kind !== 'canary' || rollout.promoted || rollout.course === 'back' || rollout.share === 0) return [];
  return strategy.match.map((match) => ({ release: rollout.plan.candidate.id, match }));
}

function stickinessOf(rollout: Rollout): Pick<Routes, 'sticky'> {
  const { strategy } = rollout.plan.spec;
  return strategy.kind === 'canary' && strategy.sticky !== undefined ? { sticky: strategy.sticky } : {};
}
