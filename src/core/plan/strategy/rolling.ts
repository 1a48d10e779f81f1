// Rolling: instances are replaced in batches; each new one is healthy before the next, each old one drained before it stops.

import type { Observed, PlannedStep } from '../plan.ts';
import type { DeploySpec, RollingStrategy } from '../spec.ts';
import { allTraffic } from '../../routes.ts';
import { soloChecks, askedAt, confidenceSteps, observe, startStep, validateCandidate, verifySteps } from './parts.ts';

/** One batch: how many of each release run in traffic after it. */
export interface Batch {
  /** Old instances that may stay while the new ones of this batch start. */
  readonly stableBefore: number;
  readonly candidate: number;
  readonly stableAfter: number;
}

/** What may run and what must serve while rolling. */
export interface Bounds {
  /** At most so many instances run. */
  readonly room: number;
  /** At least so many serve; never none. */
  readonly floor: number;
}

/** One instance of surge is taken where the settings would otherwise leave no way to go on without falling below the floor. */
export function boundsOf(wanted: number, minAvailable: number, strategy: RollingStrategy): Bounds {
  const floor = Math.max(1, Math.min(minAvailable, wanted), wanted - strategy.maxUnavailable);
  return { floor, room: Math.max(wanted + strategy.maxSurge, floor + 1) };
}

/** The batches that lead from `running` old instances to `wanted` new ones within the bounds. */
export function batches(wanted: number, running: number, bounds: Bounds): readonly Batch[] {
  const result: Batch[] = [];
  let stable = running;
  let candidate = 0;
  while (candidate < wanted) {
    // Old ones leave first only as far as the floor allows and only where there is no room for new ones beside them.
    const batch = Math.min(bounds.room - bounds.floor, wanted - candidate);
    const missing = Math.max(0, batch - (bounds.room - candidate - stable));
    const stableBefore = Math.max(0, stable - Math.min(missing, Math.max(0, stable + candidate - bounds.floor)));
    const next = Math.min(wanted, candidate + Math.max(1, bounds.room - candidate - stableBefore));
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
  const bounds = boundsOf(spec.instances, spec.minAvailable, strategy);
  const all = batches(spec.instances, observed.stableInstances, bounds);
  let before: Pick<Batch, 'candidate' | 'stableAfter'> = { candidate: 0, stableAfter: observed.stableInstances };
  for (const [index, batch] of all.entries()) {
    steps.push(...batchSteps(spec, strategy, batch, before, { index, of: all.length }));
    before = batch;
  }
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
  before: Pick<Batch, 'candidate' | 'stableAfter'>,
  position: { readonly index: number; readonly of: number },
): readonly PlannedStep[] {
  const status = position.index === 0 ? 'DEPLOYING' : 'PROMOTING';
  const steps: PlannedStep[] = [];
  if (batch.stableBefore < before.stableAfter) {
    // The share follows the instances: what leaves must not be owed traffic any more.
    if (before.candidate > 0) steps.push(shiftTo(before.candidate, batch.stableBefore));
    steps.push(...removeStable(spec, batch.stableBefore, status));
  }
  steps.push({ status, step: startStep(spec, 'candidate', batch.candidate) });
  if (position.index === 0 && spec.validation.length > 0) {
    steps.push({ status, step: validateCandidate(spec, 'instances') });
  }
  if (position.index === 0) {
    const only = position.of === 1;
    const point = only ? askedAt(spec, 'beforeTraffic', 'beforePromotion') : askedAt(spec, 'beforeTraffic');
    steps.push(...confidenceSteps(point, status));
  }
  steps.push(shiftTo(batch.candidate, batch.stableAfter));
  if (batch.stableAfter < batch.stableBefore) steps.push(...removeStable(spec, batch.stableAfter, 'PROMOTING'));
  // The last batch makes it all traffic.
  const confidence = position.index === position.of - 2 ? askedAt(spec, 'beforePromotion') : undefined;
  if (strategy.observeMs > 0 && position.index < position.of - 1) {
    const name = `after batch ${position.index + 1} of ${position.of}`;
    const checks = batch.stableAfter > 0 ? spec.gates : soloChecks(spec.gates);
    const step = observe(name, strategy.observeMs, checks);
    steps.push({ status: 'PROMOTING', step: confidence === undefined ? step : { ...step, confidence } });
  } else steps.push(...confidenceSteps(confidence, 'PROMOTING'));
  return steps;
}

/** Each instance of either release gets the same part of the traffic. */
function shiftTo(candidate: number, stable: number): PlannedStep {
  return {
    status: 'PROMOTING',
    step: { kind: 'shift', share: Math.floor((allTraffic * candidate) / (candidate + stable)) },
  };
}

function removeStable(spec: DeploySpec, keep: number, status: PlannedStep['status']): readonly PlannedStep[] {
  return [
    { status, step: { kind: 'drain', role: 'stable', keep, withinMs: spec.drainMs } },
    { status, step: { kind: 'stop', role: 'stable', keep, graceMs: spec.stopGraceMs } },
  ];
}
