// The confidence score of a deployment where its plan asks for one: what is at stake with the next steps, and all that is known.

import { assert } from '../../base/assert.ts';
import { type Confidence, confidenceOf, type ConfidencePoint } from '../decision/confidence.ts';
import type { Exposure } from '../decision/factors/blast-radius.ts';
import type { Judgement } from '../gate/verdict.ts';
import type { Plan } from '../plan/plan.ts';
import { allTraffic } from '../routes.ts';
import type { Rollout } from './rollout.ts';

export function confidenceAt(rollout: Rollout, point: ConfidencePoint): Confidence {
  const newest = rollout.hold?.judgement ?? rollout.judgements.at(-1)?.judgement;
  const judgement = point === 'beforeTraffic' ? undefined : newest;
  return confidenceInPlan(rollout.plan, rollout.step, point, judgement);
}

/** The score at a step of a plan; before its deployment begins there is no judgement yet. */
export function confidenceInPlan(plan: Plan, step: number, point: ConfidencePoint, judgement?: Judgement): Confidence {
  const { spec, confidence: facts } = plan;
  assert(spec.confidence !== undefined, `the plan of ${plan.candidate.id} asks for a score without a policy`);
  return confidenceOf({
    point,
    policy: spec.confidence,
    facts: facts ?? { release: {}, past: [] },
    exposure: exposureAt(plan, step),
    judgement,
  });
}

/** What the steps up to the next share of traffic put at stake. */
function exposureAt(plan: Plan, from: number): Omit<Exposure, 'criticality'> {
  const ahead = plan.steps.slice(from).map(({ step }) => step);
  const shift = ahead.find((step) => step.kind === 'shift');
  const share = shift?.kind === 'shift' ? shift.share : allTraffic;
  const { spec } = plan;
  const { instances, strategy } = spec;
  const batch =
    plan.strategy === 'rolling' && strategy.kind === 'rolling' ? strategy.maxSurge + strategy.maxUnavailable : 0;
  const promotes = ahead.find((step) => step.kind === 'promote');
  const keepsOld = promotes?.kind === 'promote' && promotes.keepOldMs > 0;
  return {
    share,
    atOnce: Math.min(instances, batch),
    instances,
    warmBack: plan.stable !== undefined && plan.strategy !== 'rolling' && (share < allTraffic || keepsOld),
  };
}
