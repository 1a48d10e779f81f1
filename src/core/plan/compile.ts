// Compiles a specification and what is there now to a plan: a pure function, so that what `plan` prints is what `deploy` does.

import { needsFeed } from '../gate/check.ts';
import type { RouterCapabilities } from '../router-capabilities.ts';
import type { Observed, Plan, PlannedStep, StrategyName } from './plan.ts';
import type { DeploySpec } from './spec.ts';
import type { Step } from './step.ts';
import { Failure } from '../../base/failure.ts';
import { blueGreenSteps } from './strategy/blue-green.ts';
import { canarySteps } from './strategy/canary.ts';
import { firstBack, firstSteps } from './strategy/first.ts';
import { backToStable } from './strategy/parts.ts';
import { rollbackSteps } from './strategy/rollback.ts';
import { rollingSteps } from './strategy/rolling.ts';
import { sameBack, sameSteps } from './strategy/same.ts';

/** Rejects with `plan.unsupported` what the router cannot do, naming the setting. */
export function compilePlan(spec: DeploySpec, observed: Observed, router: RouterCapabilities): Plan {
  refuseUnsupported(spec, router);
  const strategy = strategyName(spec, observed);
  const { steps, back } = stepsOf(strategy, spec, observed);
  const longestCheck = Math.max(0, ...[spec, observed.stableAsked ?? spec].flatMap(checkTimes));
  return {
    scope: spec.scope,
    strategy,
    candidate: observed.candidate,
    ...(strategy === 'same' ? {} : { stable: observed.stable }),
    ...(strategy === 'same' || observed.stableAsked === undefined ? {} : { stableAsked: observed.stableAsked }),
    stableInstances: observed.stableInstances,
    steps,
    back,
    spec,
    ...(asks(steps) && observed.confidence !== undefined && { confidence: observed.confidence }),
    longestMs: [...steps, ...back].reduce((sum, { step }) => sum + longestOf(step, longestCheck), 60_000),
  };
}

function asks(steps: readonly PlannedStep[]): boolean {
  return steps.some(({ step }) => step.kind === 'hold' && step.confidence !== undefined);
}

function strategyName(spec: DeploySpec, observed: Observed): StrategyName {
  if (observed.stable === undefined) return 'first';
  if (observed.stable.id === observed.candidate.id) return 'same';
  return observed.purpose === 'rollback' ? 'rollback' : spec.strategy.kind;
}

function stepsOf(
  strategy: StrategyName,
  spec: DeploySpec,
  observed: Observed,
): { readonly steps: readonly PlannedStep[]; readonly back: readonly PlannedStep[] } {
  if (strategy === 'first') return { steps: firstSteps(spec, observed), back: firstBack(spec) };
  if (strategy === 'same') return { steps: sameSteps(spec), back: sameBack(spec, observed) };
  if (strategy === 'rollback') return { steps: rollbackSteps(spec, observed), back: backToStable(spec, observed) };
  switch (spec.strategy.kind) {
    case 'blue-green':
      return { steps: blueGreenSteps(spec, spec.strategy, observed), back: backToStable(spec, observed) };
    case 'canary':
      return { steps: canarySteps(spec, spec.strategy, observed), back: backToStable(spec, observed) };
    case 'rolling':
      return { steps: rollingSteps(spec, spec.strategy, observed), back: backToStable(spec, observed) };
  }
}

function refuseUnsupported(spec: DeploySpec, router: RouterCapabilities): void {
  const { strategy } = spec;
  if (strategy.kind !== 'canary') return;
  const driver = spec.router.driver;
  if (strategy.sticky !== undefined && !router.sticky) refuse('strategy.canary.sticky', 'sticky sessions', driver);
  if (strategy.match.some((match) => 'header' in match) && !router.rules.header)
    refuse('strategy.canary.match', 'header rules', driver);
  if (strategy.match.some((match) => 'cookie' in match) && !router.rules.cookie)
    refuse('strategy.canary.match', 'cookie rules', driver);
  if (spec.gates.some(needsFeed) && !router.feed) refuse('gates', 'a feed of requests for the gates', driver);
  for (const [index, stage] of strategy.stages.entries()) {
    if (stage.share % router.granularity !== 0) {
      refuse(`strategy.canary.stages[${index}]`, `a share finer than ${router.granularity / 100} %`, driver);
    }
  }
}

function refuse(at: string, what: string, driver: string): never {
  throw new Failure('plan.unsupported', `the router \`${driver}\` cannot do what the plan needs: ${what}`, {
    at,
    remedy: `Remove \`${at}\` or use another router.`,
  });
}

/** The longest that each check may take with all its attempts, milliseconds. */
function checkTimes({ validation }: Pick<DeploySpec, 'validation'>): readonly number[] {
  return validation.map(({ attempts, withinMs, pauseMs }) => attempts * withinMs + (attempts - 1) * pauseMs);
}

/** The longest that a step may take by its own limits, milliseconds. Checks run side by side. */
function longestOf(step: Step, longestCheckMs: number): number {
  switch (step.kind) {
    case 'stage':
      return 600_000;
    case 'start':
      return step.timeoutMs + 60_000;
    case 'validate':
      return 300_000 * Math.max(1, step.checks) + longestCheckMs;
    case 'wait':
      return step.forMs;
    case 'shift':
    case 'preview':
      return 60_000;
    case 'drain':
      return step.withinMs + 60_000;
    case 'stop':
      return step.graceMs + 60_000;
    case 'hold':
      return step.maxMs + 60_000;
    case 'promote':
      return 0;
  }
}
