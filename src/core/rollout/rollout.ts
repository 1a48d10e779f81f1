// The state of one deployment: all that the next event is judged by, as plain data.

import type { FailureData } from '../../base/failure.ts';
import type { Confidence } from '../decision/confidence.ts';
import type { Judgement } from '../gate/verdict.ts';
import type { Plan, PlannedStep } from '../plan/plan.ts';
import type { Role } from '../plan/step.ts';
import { allTraffic, type Endpoint } from '../routes.ts';
import type { EffectAction } from './effect.ts';
import type { Status } from './status.ts';

/** The instances of one release that take traffic, and those that only finish what they have. */
export interface Fleet {
  readonly serving: readonly Endpoint[];
  readonly leaving: readonly Endpoint[];
}

/** A hold in progress. */
export interface Hold {
  /** `deployment/step`; names the evidence that belongs to it. */
  readonly id: string;
  readonly enteredAt: number;
  readonly minimumsReached: boolean;
  readonly judgement?: Judgement | undefined;
}

export interface Rollout {
  readonly id: string;
  readonly plan: Plan;
  /** Grows by one with each event. */
  readonly version: number;
  readonly status: Status;
  /** Where PAUSED or AWAITING_APPROVAL came from. */
  readonly resume?: Status | undefined;
  /** Which list of steps is walked: the plan's own, or its way back. */
  readonly course: 'forward' | 'back';
  /** Index into that list. */
  readonly step: number;
  /** Whether the step at `step` is complete and only a pause keeps the next one from beginning. */
  readonly stepDone: boolean;
  /** The effect in the outbox whose outcome is awaited. */
  readonly awaiting?: string | undefined;
  /** What the step still has to do after that effect. */
  readonly queue: readonly EffectAction[];
  /** How many effects were issued; the next id is made from it. */
  readonly effects: number;
  /** Epoch milliseconds when a wait or a hold is over. */
  readonly until?: number | undefined;
  /** The candidate's share in basis points that was ordered last. */
  readonly share: number;
  /** Whether the preview address shows the candidate. */
  readonly preview: boolean;
  /** Whether the candidate has been promoted: it is no longer on trial, match rules no longer hold. */
  readonly promoted: boolean;
  /** Revision of the routes that were ordered last. */
  readonly revision: number;
  readonly fleet: Readonly<Record<Role, Fleet>>;
  readonly hold?: Hold | undefined;
  /** Every judgement that ended a hold. */
  readonly judgements: readonly { readonly name: string; readonly judgement: Judgement }[];
  /** Every confidence score that was decided by, in order. */
  readonly confidences?: readonly Confidence[] | undefined;
  readonly createdAt: number;
  readonly createdBy: string;
  /** Time of the newest event. */
  readonly at: number;
  readonly deadlineAt: number;
  /** First sign of what led to going back, where requests or answers of a metric source told. */
  readonly badSince?: number | undefined;
  /** When it was decided to go back. */
  readonly wentBackAt?: number | undefined;
  /** When all traffic was on the release that it goes back to. */
  readonly safeAt?: number | undefined;
  readonly endedAt?: number | undefined;
  /** Why it goes back, pauses, waits or failed: one sentence for people. */
  readonly reason?: string | undefined;
  readonly failure?: FailureData | undefined;
}

/** A rollback goes forward to the release that it brings back: from its switch on, "going back" would lead to what was fled from. */
export function hasSwitchedBack({ plan, course, share }: Rollout): boolean {
  return plan.strategy === 'rollback' && course === 'forward' && share === allTraffic;
}

/** The steps that are walked now. */
export function course(rollout: Rollout): readonly PlannedStep[] {
  return rollout.course === 'forward' ? rollout.plan.steps : rollout.plan.back;
}

/** The step that is carried out now; undefined at the end. */
export function currentStep(rollout: Rollout): PlannedStep | undefined {
  return course(rollout)[rollout.step];
}
