// Rollback on request: the earlier release gets all traffic in one switch, at once where it still runs warm.

import type { Observed, PlannedStep } from '../plan.ts';
import type { DeploySpec } from '../spec.ts';
import { allTraffic } from '../../routes.ts';
import { prepareSteps, retireStable, verifySteps } from './parts.ts';

export function rollbackSteps(spec: DeploySpec, observed: Observed): readonly PlannedStep[] {
  // A warm release was healthy when it lost its traffic; asking anything before the switch would only keep users waiting.
  const before = observed.candidateWarm ? [] : prepareSteps(spec, observed);
  return [
    ...before,
    { status: 'PROMOTING', step: { kind: 'shift', share: allTraffic } },
    { status: 'PROMOTED', step: { kind: 'promote', keepOldMs: 0 } },
    ...verifySteps(spec, 0),
    ...retireStable(spec, 0),
  ];
}
