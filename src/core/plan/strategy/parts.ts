// Runs of steps that strategies share: bringing the candidate up, looking behind the switch, taking a release away.

import type { ConfidencePoint } from '../../decision/confidence.ts';
import type { Asked, Observed, PlannedStep } from '../plan.ts';
import type { DeploySpec } from '../spec.ts';
import { needsStable, type GateCheck } from '../../gate/check.ts';
import type { HoldStep, Through } from '../step.ts';

/** Candidate in the store, running, healthy and validated; without traffic yet. */
export function prepareSteps(spec: DeploySpec, observed: Observed): readonly PlannedStep[] {
  const steps: PlannedStep[] = [];
  if (!observed.candidateStored) steps.push({ status: 'BUILDING', step: { kind: 'stage' } });
  steps.push({ status: 'DEPLOYING', step: startStep(spec, 'candidate', spec.instances) });
  const preview = hasPreview(spec);
  if (preview) steps.push({ status: 'DEPLOYING', step: { kind: 'preview', role: 'candidate' } });
  if (spec.validation.length > 0)
    steps.push({ status: 'DEPLOYING', step: validateCandidate(spec, preview ? 'preview' : 'instances') });
  return steps;
}

function hasPreview(spec: DeploySpec): boolean {
  return spec.router.driver === 'memory' || spec.router.preview !== undefined;
}

export function validateCandidate(spec: DeploySpec, through: Through) {
  return { kind: 'validate', role: 'candidate', through, checks: spec.validation.length } as const;
}

export function startStep({ health }: Pick<Asked, 'health'>, role: 'candidate' | 'stable', instances: number) {
  return { kind: 'start', role, instances, timeoutMs: health.timeoutMs } as const;
}

/** Validation through the router and, where wanted, a look at the gates with all traffic on the candidate. */
export function verifySteps(spec: DeploySpec, observeMs: number): readonly PlannedStep[] {
  const steps: PlannedStep[] = [];
  if (spec.validation.length > 0) steps.push({ status: 'VERIFYING', step: validateCandidate(spec, 'service') });
  if (observeMs > 0) {
    steps.push({ status: 'VERIFYING', step: observe('behind the switch', observeMs, soloChecks(spec.gates)) });
  }
  return steps;
}

/** A look at the gates that goes on when its time is over and nothing failed. */
export function observe(name: string, forMs: number, checks: readonly GateCheck[]): HoldStep {
  return {
    kind: 'hold',
    name,
    atLeastMs: forMs,
    requests: 0,
    maxMs: forMs,
    checks,
    noData: 'pass',
    promotion: 'automatic',
  };
}

/** The confidence that a step has to ask for: the first of `points` that the policy names. */
export function askedAt(spec: DeploySpec, ...points: readonly ConfidencePoint[]): ConfidencePoint | undefined {
  return points.find((point) => spec.confidence?.at.includes(point));
}

const nameOf: Readonly<Record<ConfidencePoint, string>> = {
  beforeTraffic: 'before traffic',
  beforePromotion: 'before the promotion',
};

/** Goes on at once, asks a person or goes back, by the confidence score alone; no step where no score is asked for. */
export function confidenceSteps(
  point: ConfidencePoint | undefined,
  status: PlannedStep['status'],
  promotion: HoldStep['promotion'] = 'automatic',
): readonly PlannedStep[] {
  if (point === undefined) return [];
  return [{ status, step: { ...observe(nameOf[point], 0, []), promotion, confidence: point } }];
}

/** Checks that need no other release beside the candidate; the statistical one then compares it with what stable was like. */
export function soloChecks(checks: readonly GateCheck[]): readonly GateCheck[] {
  return checks.filter((check) => !needsStable(check));
}

/** Requests in flight end, then the candidate's instances are stopped. */
export function stopCandidate(spec: DeploySpec): readonly PlannedStep[] {
  return [
    { status: 'ROLLING_BACK', step: { kind: 'drain', role: 'candidate', keep: 0, withinMs: spec.drainMs } },
    { status: 'ROLLING_BACK', step: { kind: 'stop', role: 'candidate', keep: 0, graceMs: spec.stopGraceMs } },
  ];
}

/**
 * Back to stable: the routes first, where enough of it still serves; then what is missing of it is started, and gets its traffic;
 * then the candidate is taken away and stable is validated.
 */
export function backToStable(spec: DeploySpec, observed: Observed): readonly PlannedStep[] {
  const asked = observed.stableAsked ?? spec;
  return [
    { status: 'ROLLING_BACK', step: { kind: 'shift', share: 0 } },
    { status: 'ROLLING_BACK', step: startStep(asked, 'stable', observed.stableWanted) },
    ...stopCandidate(spec),
    ...validateStable(asked),
  ];
}

function validateStable({ validation }: Asked): readonly PlannedStep[] {
  if (validation.length === 0) return [];
  return [
    {
      status: 'ROLLING_BACK',
      step: { kind: 'validate', role: 'stable', through: 'service', checks: validation.length },
    },
  ];
}

/** With nothing to keep warm the old release is taken away before the deployment ends. */
export function retireStable(spec: DeploySpec, keepOldMs: number): readonly PlannedStep[] {
  if (keepOldMs > 0) return [];
  return [
    { status: 'VERIFYING', step: { kind: 'drain', role: 'stable', keep: 0, withinMs: spec.drainMs } },
    { status: 'VERIFYING', step: { kind: 'stop', role: 'stable', keep: 0, graceMs: spec.stopGraceMs } },
  ];
}
