// Canary: the new release gets traffic stage by stage, and each stage must earn the next.

import type { Observed, PlannedStep } from '../plan.ts';
import type { CanaryStage, CanaryStrategy, DeploySpec } from '../spec.ts';
import type { HoldStep } from '../step.ts';
import { allTraffic, shareText } from '../../routes.ts';
import { askedAt, confidenceSteps, prepareSteps, retireStable, verifySteps } from './parts.ts';

export function canarySteps(spec: DeploySpec, strategy: CanaryStrategy, observed: Observed): readonly PlannedStep[] {
  const trial = strategy.stages.filter((stage) => stage.share < allTraffic);
  const last = strategy.stages.find((stage) => stage.share === allTraffic);
  return [
    ...prepareSteps(spec, observed),
    // Without a trial the first traffic is all of it.
    ...confidenceSteps(
      trial.length === 0 ? askedAt(spec, 'beforeTraffic', 'beforePromotion') : askedAt(spec, 'beforeTraffic'),
      'DEPLOYING',
    ),
    ...trial.flatMap((stage, index) => {
      const confidence = index === trial.length - 1 ? askedAt(spec, 'beforePromotion') : undefined;
      return stageSteps(spec, strategy, stage, {
        name: `stage ${index + 1} of ${strategy.stages.length}`,
        ...(confidence !== undefined && { confidence }),
      });
    }),
    { status: 'PROMOTING', step: { kind: 'shift', share: allTraffic } },
    { status: 'PROMOTED', step: { kind: 'promote', keepOldMs: strategy.keepOldMs } },
    ...verifySteps(spec, last?.holdMs ?? 0),
    ...retireStable(spec, strategy.keepOldMs),
  ];
}

function stageSteps(
  spec: DeploySpec,
  strategy: CanaryStrategy,
  stage: CanaryStage,
  { name, ...asks }: Pick<HoldStep, 'name' | 'confidence'>,
): readonly PlannedStep[] {
  return [
    { status: 'CANARY', step: { kind: 'shift', share: stage.share } },
    {
      status: 'CANARY_WAITING',
      step: {
        kind: 'hold',
        name: `${name}, ${shareText(stage.share)}`,
        atLeastMs: stage.holdMs,
        requests: stage.requests,
        maxMs: strategy.maxHoldMs,
        checks: spec.gates,
        noData: 'hold',
        promotion: strategy.promotion,
        ...asks,
      },
    },
  ];
}
