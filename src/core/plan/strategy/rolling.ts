// Rolling: instances are replaced in batches; each new one is healthy before the next, each old one drained before it stops.

import type { Observed, PlannedStep } from '../plan.ts';
import type { DeploySpec, RollingStrategy } from '../spec.ts';
import { allTraffic } from '../../routes.ts';
import {
  absoluteChecks,
  observe,
  startStep,
  stopCandidate,
  validateCandidate,
  validateStable,
  verifySteps,
} from './parts.ts';

/** One batch: how many of each release run in traffic after it. */
export interface Batch {
  /** Old instances that may stay while the new ones of this batch start. */
  readonly stableBefore: number;
  readonly candidate: number;
  readonly stableAfter: number;
}

/**
 * The batches that lead from `running` old instances to `wanted` new ones with at most `wanted + maxSurge` running and at least
 * `wanted - maxUnavailable` serving.
 */
export function batches(wanted: number, running: number, maxSurge: number, maxUnavailable: number): readonly Batch[] {
  const result: Batch[] = [];
  let stable = running;
  let candidate = 0;
  while (candidate < wanted) {
    const room = wanted + maxSurge;
    const floor = wanted - maxUnavailable;
    // Old ones leave first only as far as the floor allows and only where the surge leaves no room for new ones.
    const missing = Math.max(0, Math.min(maxSurge + maxUnavailable, wanted - candidate) - (room - candidate - stable));
    const stableBefore = Math.max(0, stable - Math.min(missing, Math.max(0, stable + candidate - floor)));
    const next = Math.min(wanted, candidate + Math.max(1, room - candidate - stableBefore));
    const stableAfter = Math.min(stableBefore, Math.max(0, wanted - next));
    result.push({ stableBefore, candidate: next, stableAfter });
    candidate = next;
    stable = stableAfter;
  }
  return result;
}

export function rollingSteps(spec: DeploySpec, strategy: RollingStrategy, observed: Observed): readonly PlannedStep[] {
  const steps: PlannedStep[] = [];
  if (!observed.candidateStored) steps.push({ status: 'BUILDING', step: { kind: 'stage' } });
  const all = batches(spec.instances, observed.stableInstances, strategy.maxSurge, strategy.maxUnavailable);
  let stable = observed.stableInstances;
  all.forEach((batch, index) => {
    steps.push(...batchSteps(spec, strategy, batch, stable, { index, of: all.length }));
    stable = batch.stableAfter;
  });
  return [
    ...steps,
    { status: 'PROMOTED', step: { kind: 'promote', keepOldMs: 0 } },
    ...verifySteps(spec, strategy.observeMs),
  ];
}

function batchSteps(
  spec: DeploySpec,
  strategy: RollingStrategy,
  batch: Batch,
  stableBefore: number,
  position: { readonly index: number; readonly of: number },
): readonly PlannedStep[] {
  const status = position.index === 0 ? 'DEPLOYING' : 'PROMOTING';
  const steps: PlannedStep[] = [];
  if (batch.stableBefore < stableBefore) steps.push(...removeStable(spec, batch.stableBefore, status));
  steps.push({ status, step: startStep(spec, 'candidate', batch.candidate) });
  if (position.index === 0 && spec.validation.length > 0) {
    steps.push({ status, step: validateCandidate(spec, 'instances') });
  }
  const share = Math.floor((allTraffic * batch.candidate) / (batch.candidate + batch.stableAfter));
  steps.push({ status: 'PROMOTING', step: { kind: 'shift', share } });
  if (batch.stableAfter < batch.stableBefore) steps.push(...removeStable(spec, batch.stableAfter, 'PROMOTING'));
  if (strategy.observeMs > 0 && position.index < position.of - 1) {
    const name = `after batch ${position.index + 1} of ${position.of}`;
    const checks = batch.stableAfter > 0 ? spec.gates : absoluteChecks(spec.gates);
    steps.push({ status: 'PROMOTING', step: observe(name, strategy.observeMs, checks) });
  }
  return steps;
}

function removeStable(spec: DeploySpec, keep: number, status: PlannedStep['status']): readonly PlannedStep[] {
  return [
    { status, step: { kind: 'drain', role: 'stable', keep, withinMs: spec.drainMs } },
    { status, step: { kind: 'stop', role: 'stable', keep, graceMs: spec.stopGraceMs } },
  ];
}

/**
 * Old instances may be gone already, so going back brings them up again. The first switch happens at once where enough of them
 * still serve (the transition skips it otherwise), the second one when all are there.
 */
export function rollingBack(spec: DeploySpec, observed: Observed): readonly PlannedStep[] {
  return [
    { status: 'ROLLING_BACK', step: { kind: 'shift', share: 0 } },
    { status: 'ROLLING_BACK', step: startStep(spec, 'stable', observed.stableInstances) },
    { status: 'ROLLING_BACK', step: { kind: 'shift', share: 0 } },
    ...stopCandidate(spec),
    ...validateStable(spec),
  ];
}
