// The heart: from a deployment's state and one event to the next state and the effects that it calls for. Pure.

import { assert } from '../../base/assert.ts';
import type { FailureData } from '../../base/failure.ts';
import { badSince } from '../decision/bad-since.ts';
import { decide, type Decision } from '../decision/decide.ts';
import { allTraffic } from '../routes.ts';
import type { HoldStep } from '../plan/step.ts';
import type { Effect, EffectAction } from './effect.ts';
import { confidenceAt } from './confidence-at.ts';
import { enterStep, holdStatus, withFleet, withRoutes } from './enter-step.ts';
import type { Command, RolloutEvent } from './event.ts';
import { isAllowed } from './machine.ts';
import { course, currentStep, hasSwitchedBack, type Rollout } from './rollout.ts';
import { isFinal, isWaiting, type Status } from './status.ts';

export type Transition = readonly [Rollout, readonly Effect[]];

/** What a handler makes of an event: the next state, and actions to issue beside those that wait in the queue. */
interface Next {
  readonly rollout: Rollout;
  /** Issued at once and not waited for. */
  readonly aside?: readonly EffectAction[] | undefined;
}

export function transition(state: Rollout, event: RolloutEvent): Transition {
  if (isFinal(state.status)) return [state, []];
  const at = Math.max(state.at, event.at);
  // Time in which a person has the word is not held against the deployment.
  const deadlineAt = isWaiting(state.status) ? state.deadlineAt + (at - state.at) : state.deadlineAt;
  const now: Rollout = { ...state, at, deadlineAt };
  const { rollout, aside } = isStale(state, event) ? { rollout: now } : handle(now, event);
  const [issued, effects] = issue({ ...rollout, version: state.version + 1 }, aside ?? []);
  assert(
    isAllowed(state.status, issued.status, event.kind),
    `${state.status} → ${issued.status} on ${event.kind} is not in the table`,
  );
  return [issued, effects];
}

/** The outcome of an effect that nobody waits for any more: it was superseded on the way back, or ran beside the step. */
function isStale(state: Rollout, event: RolloutEvent): boolean {
  return (event.kind === 'effect-done' || event.kind === 'effect-failed') && event.effect !== state.awaiting;
}

function handle(state: Rollout, event: RolloutEvent): Next {
  switch (event.kind) {
    case 'started':
      return { rollout: beginStep(event.badSince === undefined ? state : { ...state, badSince: event.badSince }, 0) };
    case 'effect-done':
      return { rollout: onEffectDone(state, event) };
    case 'effect-failed':
      return { rollout: onEffectFailed(state, event.failure) };
    case 'effect-retried':
    case 'recovered':
      return { rollout: state };
    case 'time-came':
      return { rollout: onTime(state) };
    case 'judged':
      return { rollout: onJudged(state, event) };
    case 'fleet-changed':
      return onFleetChanged(state, event);
    case 'candidate-lost':
      return { rollout: distrust(state, event.failure.message, event.failure) };
    case 'promote':
    case 'pause':
    case 'resume':
    case 'abort':
      return { rollout: onCommand(state, event) };
  }
}

/** What a person orders. */
function onCommand(state: Rollout, event: Extract<RolloutEvent, { kind: Command['kind'] }>): Rollout {
  switch (event.kind) {
    case 'promote':
      return onPromote(state, event.full);
    case 'pause':
      return pause(state, event.reason);
    case 'resume':
      return onResume(state);
    case 'abort':
      return goBack(state, event.reason);
  }
}

/** Puts the head of the queue into the outbox when nothing is awaited, and the asides with it. */
function issue(rollout: Rollout, aside: readonly EffectAction[]): Transition {
  const actions = [...aside];
  let awaited = rollout.awaiting;
  let { queue } = rollout;
  const [head, ...rest] = queue;
  if (awaited === undefined && head !== undefined) {
    actions.push(head);
    awaited = `${rollout.id}#${rollout.effects + actions.length}`;
    queue = rest;
  }
  const effects = actions.map((action, index): Effect => ({
    id: `${rollout.id}#${rollout.effects + index + 1}`,
    action,
  }));
  return [{ ...rollout, queue, effects: rollout.effects + actions.length, awaiting: awaited }, effects];
}

/** Walks into the step at `index`, and through all that are complete at once, to the end where there is none left. */
function beginStep(state: Rollout, index: number): Rollout {
  let rollout: Rollout = {
    ...state,
    step: index,
    stepDone: false,
    awaiting: undefined,
    queue: [],
    hold: undefined,
    until: undefined,
  };
  for (;;) {
    const planned = currentStep(rollout);
    if (planned === undefined) return finish(rollout);
    const { step } = planned;
    const status = step.kind === 'hold' ? holdStatus(planned.status, step) : planned.status;
    const resume = status === 'AWAITING_APPROVAL' ? planned.status : undefined;
    const entered = enterStep(
      { ...rollout, status, resume, reason: rollout.course === 'back' ? rollout.reason : undefined },
      step,
    );
    rollout = { ...entered.rollout, queue: entered.actions };
    if (entered.actions.length > 0 || rollout.until !== undefined) return rollout;
    rollout = { ...rollout, step: rollout.step + 1 };
  }
}

function finish(rollout: Rollout): Rollout {
  const status: Status = rollout.course === 'forward' ? 'VERIFIED' : 'ROLLED_BACK';
  return { ...rollout, status, resume: undefined, preview: false, endedAt: rollout.at };
}

function onEffectDone(state: Rollout, event: Extract<RolloutEvent, { kind: 'effect-done' }>): Rollout {
  const absorbed = absorb({ ...state, awaiting: undefined }, event);
  if (absorbed.queue.length > 0) return absorbed;
  return completeStep(markSafe(absorbed));
}

/** The next step begins, at once or when a pause ends. */
function completeStep(state: Rollout): Rollout {
  if (state.status !== 'PAUSED') return beginStep(state, state.step + 1);
  const next = course(state)[state.step + 1]?.step.kind;
  if (state.share === 0 || (next !== 'hold' && next !== 'promote' && next !== 'validate'))
    return { ...state, stepDone: true };
  // Traffic on trial is judged in a pause as well, so it goes on to where that is done.
  const begun = beginStep(state, state.step + 1);
  return isWaiting(begun.status) ? begun : { ...begun, status: 'PAUSED', resume: begun.status, reason: state.reason };
}

/** Takes what the effect brought back into the state. */
function absorb(state: Rollout, event: Extract<RolloutEvent, { kind: 'effect-done' }>): Rollout {
  const step = currentStep(state)?.step;
  if (event.result.kind !== 'endpoints' || step?.kind !== 'start') return state;
  const started = withFleet(state, step.role, { serving: event.result.endpoints, leaving: [] });
  if (state.course === 'forward' || step.role === 'candidate') return started;
  // Stable was brought back up to serve: it has all traffic before anything else is done.
  const { rollout, actions } = withRoutes({ ...started, share: 0 });
  return { ...rollout, queue: actions };
}

/** Notes when all traffic was on the release that is gone back to: the time to recover ends here, whatever is still to be cleared away. */
function markSafe(state: Rollout): Rollout {
  if (state.safeAt !== undefined) return state;
  return hasSwitchedBack(state) || (state.course === 'back' && state.share === 0)
    ? { ...state, safeAt: state.at }
    : state;
}

function onEffectFailed(state: Rollout, failure: FailureData): Rollout {
  const step = currentStep(state)?.step;
  const clearing = step?.kind === 'drain' || step?.kind === 'stop';
  // What is left over once the traffic is where it belongs is cleared away by the sweep; it must not change the outcome.
  if (clearing && (state.course === 'back' || state.promoted))
    return completeStep({ ...state, awaiting: undefined, queue: [] });
  if (state.course === 'forward') return distrust({ ...state, awaiting: undefined }, failure.message, failure);
  // At a first deployment there is no stable release that the routes would have to save.
  if (step?.kind === 'shift' && state.plan.stable === undefined) return beginStep(state, state.step + 1);
  return fail(state, `going back did not succeed: ${failure.message}`, failure);
}

function onTime(state: Rollout): Rollout {
  if (isWaiting(state.status)) return state;
  if (state.course === 'forward' && state.at >= state.deadlineAt) return onDeadline(state);
  if (state.until === undefined || state.at < state.until) return state;
  const planned = currentStep(state);
  if (planned?.step.kind === 'wait') return beginStep(state, state.step + 1);
  if (planned?.step.kind !== 'hold' || state.hold === undefined) return state;
  return follow(state, planned.step, decide(planned.step, { ...factsOf(state, planned.step), overdue: true }));
}

function onDeadline(state: Rollout): Rollout {
  // A switch back is ordered until it is in force: there is nowhere else to go.
  if (hasSwitchedBack(state) && !state.promoted)
    return { ...state, deadlineAt: state.deadlineAt + state.plan.longestMs };
  return distrust(state, 'the deployment did not end within its deadline');
}

function onJudged(state: Rollout, event: Extract<RolloutEvent, { kind: 'judged' }>): Rollout {
  const step = currentStep(state)?.step;
  if (step?.kind !== 'hold' || state.hold?.id !== event.hold || state.course === 'back') return state;
  const minimumsReached = state.hold.minimumsReached || event.minimumsReached;
  const hold = { ...state.hold, judgement: event.judgement, minimumsReached };
  const judged: Rollout = { ...state, hold };
  const decision = decide(step, {
    ...factsOf(judged, step),
    overdue: state.until !== undefined && state.at >= state.until,
  });
  // The stage's minimums are a state of their own in the record; whether the gates pass is the next judgement's to say.
  if (state.status === 'CANARY_WAITING' && minimumsReached && decision.kind !== 'go-back') {
    return { ...judged, status: 'CANARY_EVALUATING' };
  }
  // While a person has the word, evidence can only take it back, never go on by itself.
  return isWaiting(state.status) && decision.kind !== 'go-back' ? judged : follow(judged, step, decision);
}

function factsOf(state: Rollout, step: HoldStep) {
  const { confidence: point } = step;
  return {
    judgement: state.hold?.judgement,
    minimumsReached: state.hold?.minimumsReached ?? false,
    ...(point === undefined ? {} : { confidence: () => confidenceAt(state, point) }),
  };
}

function follow(before: Rollout, step: HoldStep, decision: Decision): Rollout {
  const state = keepConfidence(before, decision);
  switch (decision.kind) {
    case 'hold':
      return state;
    case 'advance':
      return { ...beginStep(keepJudgement(state, step), state.step + 1) };
    case 'ask':
      return { ...state, status: 'AWAITING_APPROVAL', resume: state.status, reason: decision.reason };
    case 'pause':
      return pause(state, decision.reason);
    case 'go-back':
      return distrust(withBadSince(keepJudgement(state, step)), decision.reason, {
        ...(decision.confidence === undefined ? failedGate : lowConfidence),
        message: decision.reason,
      });
  }
}

const failedGate = {
  code: 'gate.failed',
  remedy: 'Read the evidence with `sluice history show`, mend the release and deploy again.',
} as const;

const lowConfidence = {
  code: 'confidence.low',
  remedy: 'Mend what costs most and deploy again; `sluice confidence` shows the score beforehand.',
} as const;

function keepConfidence(state: Rollout, { confidence }: Decision): Rollout {
  return confidence === undefined ? state : { ...state, confidences: [...(state.confidences ?? []), confidence] };
}

function withBadSince(state: Rollout): Rollout {
  const { hold } = state;
  const since = hold?.judgement === undefined ? undefined : badSince(hold.judgement);
  return since === undefined ? state : { ...state, badSince: since };
}

function keepJudgement(state: Rollout, step: HoldStep): Rollout {
  const judgement = state.hold?.judgement;
  return judgement === undefined
    ? state
    : { ...state, judgements: [...state.judgements, { name: step.name, judgement }] };
}

function onFleetChanged(state: Rollout, event: Extract<RolloutEvent, { kind: 'fleet-changed' }>): Next {
  const leaving = state.fleet[event.role].leaving.map((endpoint) => endpoint.instance);
  const serving = event.endpoints.filter((endpoint) => !leaving.includes(endpoint.instance));
  const changed = withFleet(state, event.role, { ...state.fleet[event.role], serving });
  // Before the first routes there is nothing to correct.
  if (state.revision === 0 && state.plan.stable === undefined && state.share === 0) return { rollout: changed };
  const { rollout, actions } = withRoutes(changed);
  return { rollout, aside: actions };
}

function onPromote(state: Rollout, full: boolean): Rollout {
  const step = currentStep(state)?.step;
  if (state.course === 'back' || (step?.kind !== 'hold' && step?.kind !== 'wait')) return state;
  const kept = step.kind === 'hold' ? keepJudgement(state, step) : state;
  return beginStep({ ...kept, resume: undefined }, full ? stepOfAllTraffic(kept) : kept.step + 1);
}

/** Index of the step that gives the candidate all traffic, or of the next step where that is past. */
function stepOfAllTraffic(state: Rollout): number {
  const index = course(state).findIndex(
    ({ step }, position) => position > state.step && step.kind === 'shift' && step.share === allTraffic,
  );
  return index === -1 || state.plan.strategy === 'rolling' ? state.step + 1 : index;
}

function pause(state: Rollout, reason: string): Rollout {
  if (state.course === 'back' || state.status === 'PAUSED' || state.status === 'AWAITING_APPROVAL') return state;
  return { ...state, status: 'PAUSED', resume: state.status, reason };
}

/** Goes on where the pause began; time that a person took is not held against the deployment. */
function onResume(state: Rollout): Rollout {
  if (state.status !== 'PAUSED') return state;
  const resumed: Rollout = { ...state, status: state.resume ?? 'DEPLOYING', resume: undefined, reason: undefined };
  if (state.stepDone) return beginStep(resumed, state.step + 1);
  const planned = currentStep(state);
  if (planned?.step.kind !== 'hold' || state.hold === undefined) return resumed;
  const status =
    state.hold.minimumsReached && resumed.status === 'CANARY_WAITING' ? 'CANARY_EVALUATING' : resumed.status;
  const held: Rollout = { ...resumed, status, until: state.at + planned.step.maxMs };
  return follow(held, planned.step, decide(planned.step, { ...factsOf(held, planned.step), overdue: false }));
}

/** Goes back because of what the candidate showed; after a rollback's switch neither release can be trusted, so a person must look. */
function distrust(state: Rollout, reason: string, failure?: FailureData): Rollout {
  if (state.plan.strategy === 'rollback' && state.promoted) {
    return fail(state, `the release that was gone back to does not pass: ${reason}`, failure);
  }
  return goBack(state, reason, failure);
}

/** Traffic first: the way back begins with the routes, whatever was being done. */
function goBack(state: Rollout, reason: string, failure?: FailureData): Rollout {
  if (state.course === 'back') return state;
  const back: Rollout = {
    ...state,
    course: 'back',
    reason,
    failure,
    wentBackAt: state.at,
    safeAt: undefined,
    resume: undefined,
  };
  return beginStep(back, 0);
}

function fail(state: Rollout, reason: string, failure?: FailureData): Rollout {
  return {
    ...state,
    status: 'FAILED',
    reason,
    failure: failure ?? state.failure,
    awaiting: undefined,
    queue: [],
    resume: undefined,
    until: undefined,
    endedAt: state.at,
  };
}
