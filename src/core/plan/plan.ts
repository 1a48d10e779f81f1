// A plan: every step of a deployment and of its way back, fixed before anything starts.

import type { ConfidenceFacts } from '../decision/facts.ts';
import type { Release } from '../release.ts';
import type { Scope } from '../scope.ts';
import type { DeploySpec } from './spec.ts';
import type { Status } from '../rollout/status.ts';
import type { Role, Step } from './step.ts';

/** `first`: nothing was stable before; `same`: the release is stable already and only its number of instances changes. */
export const strategyNames = ['first', 'same', 'blue-green', 'canary', 'rolling', 'rollback'] as const;

export type StrategyName = (typeof strategyNames)[number];

export interface PlannedStep {
  /** The state of the machine in which the step is carried out. */
  readonly status: Status;
  readonly step: Step;
}

/** How a release is asked whether it is well. */
export type Asked = Pick<DeploySpec, 'health' | 'validation'>;

export interface Plan {
  readonly scope: Scope;
  readonly strategy: StrategyName;
  readonly candidate: Release;
  /** The release that has the traffic now; undefined at the first deployment. */
  readonly stable?: Release | undefined;
  /** How stable is asked whether it is well: by its own specification, for the new one may ask for what it does not have. */
  readonly stableAsked?: Asked | undefined;
  /** Instances of stable that run now. */
  readonly stableInstances: number;
  readonly steps: readonly PlannedStep[];
  /** What is done when it goes back; the routes come first. */
  readonly back: readonly PlannedStep[];
  readonly spec: DeploySpec;
  /** What the confidence scores stand on; undefined where none is asked for. */
  readonly confidence?: ConfidenceFacts | undefined;
  /** Milliseconds after which the deployment goes back by itself; time in which it waits for a person does not count. */
  readonly longestMs: number;
}

/** How the release of a role is asked. */
export function askedOf(plan: Plan, role: Role): Asked {
  return role === 'stable' ? (plan.stableAsked ?? plan.spec) : plan.spec;
}

/** What a plan is made from besides the specification: what is there now. */
export interface Observed {
  readonly candidate: Release;
  /** Why: a new release, or going back to an earlier one. */
  readonly purpose: 'deploy' | 'rollback';
  readonly stable?: Release | undefined;
  readonly stableAsked?: Asked | undefined;
  /** Instances of stable that run now. */
  readonly stableInstances: number;
  /** Instances of stable that should run. */
  readonly stableWanted: number;
  /** Whether the candidate runs warm already (an old slot, or the release before). */
  readonly candidateWarm: boolean;
  /** Whether the release store already has the candidate. */
  readonly candidateStored: boolean;
  /** What is known of the release and of earlier deployments, where a confidence score is asked for. */
  readonly confidence?: ConfidenceFacts | undefined;
}
