// First deployment: nothing is trusted yet, so the release goes straight up behind health and validation.

import type { Observed, PlannedStep } from '../plan.ts';
import type { DeploySpec } from '../spec.ts';
import { allTraffic } from '../../routes.ts';
import { askedAt, confidenceSteps, prepareSteps, stopCandidate, verifySteps } from './parts.ts';

export function firstSteps(spec: DeploySpec, observed: Observed): readonly PlannedStep[] {
  return [
    ...prepareSteps(spec, observed),
    ...confidenceSteps(askedAt(spec, 'beforeTraffic', 'beforePromotion'), 'DEPLOYING'),
    { status: 'PROMOTING', step: { kind: 'shift', share: allTraffic } },
    { status: 'PROMOTED', step: { kind: 'promote', keepOldMs: 0 } },
    ...verifySteps(spec, 0),
  ];
}

/** There is no stable release to give the traffic to: going back means that nothing is served, as before. */
export function firstBack(spec: DeploySpec): readonly PlannedStep[] {
  return [{ status: 'ROLLING_BACK', step: { kind: 'shift', share: 0 } }, ...stopCandidate(spec)];
}
