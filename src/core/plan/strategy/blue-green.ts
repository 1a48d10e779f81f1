// Blue-green: the new release comes up in the idle slot, is validated there, and gets all traffic in one switch.

import type { Observed, PlannedStep } from '../plan.ts';
import type { BlueGreenStrategy, DeploySpec } from '../spec.ts';
import { allTraffic } from '../../routes.ts';
import { askedAt, confidenceSteps, prepareSteps, retireStable, verifySteps } from './parts.ts';

export function blueGreenSteps(
  spec: DeploySpec,
  strategy: BlueGreenStrategy,
  observed: Observed,
): readonly PlannedStep[] {
  return [
    ...prepareSteps(spec, observed),
    ...beforeSwitch(spec, strategy),
    { status: 'PROMOTING', step: { kind: 'shift', share: allTraffic } },
    { status: 'PROMOTED', step: { kind: 'promote', keepOldMs: strategy.keepOldMs } },
    ...verifySteps(spec, strategy.observeMs),
    ...retireStable(spec, strategy.keepOldMs),
  ];
}

function beforeSwitch(spec: DeploySpec, strategy: BlueGreenStrategy): readonly PlannedStep[] {
  const steps: PlannedStep[] = [];
  if (strategy.switchDelayMs > 0) {
    steps.push({ status: 'DEPLOYING', step: { kind: 'wait', forMs: strategy.switchDelayMs, why: 'switch delay' } });
  }
  const confidence = askedAt(spec, 'beforeTraffic', 'beforePromotion');
  if (confidence !== undefined) return [...steps, ...confidenceSteps(confidence, 'DEPLOYING', strategy.promotion)];
  if (strategy.promotion === 'manual') {
    steps.push({
      status: 'DEPLOYING',
      step: {
        kind: 'hold',
        name: 'before the switch',
        atLeastMs: 0,
        requests: 0,
        maxMs: 0,
        checks: [],
        noData: 'pass',
        promotion: 'manual',
      },
    });
  }
  return steps;
}
