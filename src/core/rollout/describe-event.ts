// Events in words: one or two sentences per record, for people who were not there.

import { formatDuration } from '../../base/duration.ts';
import type { Judgement } from '../gate/verdict.ts';
import { describeStep } from '../plan/describe-step.ts';
import type { RolloutEvent } from './event.ts';
import { currentStep, type Rollout } from './rollout.ts';
import { isFinal, isWaiting } from './status.ts';

/** What happened and what follows from it. */
export function describeEvent(before: Rollout, event: RolloutEvent, after: Rollout): string {
  const what = whatHappened(before, event);
  const then = whatFollows(before, after);
  return then === undefined ? what : `${what}; ${then}`;
}

function whatHappened(before: Rollout, event: RolloutEvent): string {
  switch (event.kind) {
    case 'started':
      return `${startWords(before)} started by ${event.actor}${event.reason === undefined ? '' : `: ${event.reason}`}`;
    case 'effect-done':
      return doneWords(before, event);
    case 'effect-failed':
      return `failed: ${event.failure.message}`;
    case 'effect-retried':
      return `did not work yet, trying again: ${event.failure.message}`;
    case 'time-came':
      return timeWords(before);
    case 'judged':
      return judgedWords(event.judgement);
    case 'fleet-changed':
      return event.reason;
    case 'candidate-lost':
      return event.failure.message;
    case 'recovered':
      return `taken up by another controller after ${event.previous} ended`;
    case 'promote':
    case 'pause':
    case 'resume':
    case 'abort':
      return commandWords(event);
  }
}

function judgedWords({ outcome, verdicts }: Judgement): string {
  return `the gates say ${outcome}: ${verdicts.map((verdict) => verdict.reason).join('; ') || 'no checks'}`;
}

/** A hold for the score alone takes no time. */
function timeWords(before: Rollout): string {
  const step = currentStep(before)?.step;
  const scored = step?.kind === 'hold' && step.confidence !== undefined && step.maxMs === 0;
  return scored ? 'the confidence score is made' : 'the time is over';
}

function startWords(before: Rollout): string {
  const { strategy, candidate } = before.plan;
  return strategy === 'rollback' ? `rollback to ${candidate.id}` : `${strategy} deployment of ${candidate.id}`;
}

function doneWords(before: Rollout, event: Extract<RolloutEvent, { kind: 'effect-done' }>): string {
  const planned = currentStep(before);
  if (before.queue.length > 0) return 'the routes for it are in force';
  const step = planned === undefined ? 'done' : `done: ${describeStep(planned, before.plan)}`;
  if (event.result.kind === 'drained' && event.result.cut > 0) return `${step} (${event.result.cut} cut)`;
  return step;
}

function commandWords(event: Extract<RolloutEvent, { kind: 'promote' | 'pause' | 'resume' | 'abort' }>): string {
  switch (event.kind) {
    case 'promote':
      return `promoted${event.full ? ' to all traffic' : ''} by ${event.actor}`;
    case 'pause':
      return `paused by ${event.actor}: ${event.reason}`;
    case 'resume':
      return `resumed by ${event.actor}`;
    case 'abort':
      return `aborted by ${event.actor}: ${event.reason}`;
  }
}

function whatFollows(before: Rollout, after: Rollout): string | undefined {
  if (isFinal(after.status)) return endWords(after);
  if (after.course === 'back' && before.course === 'forward') return `going back: ${after.reason ?? 'no reason given'}`;
  if (isWaiting(after.status) && after.status !== before.status)
    return `waits for a person: ${after.reason ?? 'before the switch'}`;
  const next = currentStep(after);
  if (next === undefined || (after.step === before.step && before.status !== 'INIT')) return undefined;
  return `now: ${describeStep(next, after.plan)}`;
}

function endWords(after: Rollout): string {
  const took = formatDuration(after.at - after.createdAt);
  if (after.status === 'VERIFIED') return `${after.plan.candidate.id} is stable after ${took}`;
  if (after.status === 'FAILED') return `a person must look: ${after.reason ?? ''}`;
  return `gone back to ${after.plan.stable?.id ?? 'nothing, as before'} after ${took}: ${after.reason ?? ''}`;
}
