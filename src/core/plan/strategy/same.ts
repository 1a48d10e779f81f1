// The release is stable already: only its number of instances is made right, nobody's traffic moves.

import type { Observed, PlannedStep } from '../plan.ts';
import type { DeploySpec } from '../spec.ts';
import { allTraffic } from '../../routes.ts';
import { startStep, verifySteps } from './parts.ts';

export function sameSteps(spec: DeploySpec): readonly PlannedStep[] {
  return [
    { status: 'DEPLOYING', step: startStep(spec, 'candidate', spec.instances) },
    { status: 'PROMOTING', step: { kind: 'shift', share: allTraffic } },
    { status: 'PROMOTING', step: { kind: 'drain', role: 'candidate', keep: spec.instances, withinMs: spec.drainMs } },
    { status: 'PROMOTING', step: { kind: 'stop', role: 'candidate', keep: spec.instances, graceMs: spec.stopGraceMs } },
    { status: 'PROMOTED', step: { kind: 'promote', keepOldMs: 0 } },
    ...verifySteps(spec, 0),
  ];
}

/** Instances that came too many are taken away again; the release itself is the one to trust. */
export function sameBack(spec: DeploySpec, observed: Observed): readonly PlannedStep[] {
  const keep = Math.max(observed.stableInstances, observed.stableWanted);
  return [
    { status: 'ROLLING_BACK', step: { kind: 'drain', role: 'candidate', keep, withinMs: spec.drainMs } },
    { status: 'ROLLING_BACK', step: { kind: 'stop', role: 'candidate', keep, graceMs: spec.stopGraceMs } },
  ];
}
