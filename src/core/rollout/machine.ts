// The machine: every change of state that a deployment can make, as one table; docs/reference/states.md is made from it.

import type { EventKind } from './event.ts';
import { finalStatuses, statuses, type Status } from './status.ts';

export interface Row {
  readonly from: Status;
  readonly to: Status;
  readonly on: readonly EventKind[];
  /** When this happens, for people. */
  readonly when: string;
}

/** Events that end a step and so begin the next one. */
const stepEnds: readonly EventKind[] = ['effect-done', 'effect-failed', 'judged', 'time-came', 'promote', 'resume'];
const holdEnds: readonly EventKind[] = ['judged', 'time-came', 'promote', 'resume'];

const forward: readonly Row[] = [
  { from: 'INIT', to: 'BUILDING', on: ['started'], when: 'the release is copied into the release store' },
  { from: 'INIT', to: 'DEPLOYING', on: ['started'], when: 'the release is in the store already' },
  { from: 'INIT', to: 'PROMOTING', on: ['started'], when: 'a rollback finds its release running warm' },
  { from: 'BUILDING', to: 'DEPLOYING', on: ['effect-done', 'resume'], when: 'the release is stored' },
  { from: 'DEPLOYING', to: 'CANARY', on: stepEnds, when: 'the candidate is healthy and validated' },
  {
    from: 'DEPLOYING',
    to: 'PROMOTING',
    on: stepEnds,
    when: 'the candidate is healthy and validated, and takes over in one switch or batch',
  },
  {
    from: 'DEPLOYING',
    to: 'AWAITING_APPROVAL',
    on: stepEnds,
    when: 'a person must order the switch, or the confidence score asks for one',
  },
  {
    from: 'CANARY',
    to: 'CANARY_WAITING',
    on: ['effect-done', 'resume'],
    when: 'the stage’s share of traffic is in force',
  },
  {
    from: 'CANARY_WAITING',
    to: 'CANARY_EVALUATING',
    on: ['judged', 'resume'],
    when: 'the stage’s minimum time and requests are reached',
  },
  { from: 'CANARY_WAITING', to: 'CANARY', on: ['promote'], when: 'a person ends the stage' },
  { from: 'CANARY_WAITING', to: 'PROMOTING', on: ['promote'], when: 'a person ends the last stage, or all of them' },
  { from: 'CANARY_EVALUATING', to: 'CANARY', on: holdEnds, when: 'every gate of the stage passes' },
  { from: 'CANARY_EVALUATING', to: 'PROMOTING', on: holdEnds, when: 'every gate of the last stage passes' },
  {
    from: 'CANARY_EVALUATING',
    to: 'AWAITING_APPROVAL',
    on: ['judged', 'time-came', 'resume'],
    when: 'the gates pass, and promotion is manual or the confidence score asks for a person',
  },
  {
    from: 'PROMOTING',
    to: 'AWAITING_APPROVAL',
    on: ['judged', 'time-came', 'resume'],
    when: 'the confidence score asks for a person before the last batch',
  },
  { from: 'PROMOTING', to: 'PROMOTED', on: stepEnds, when: 'all traffic is on the candidate' },
  { from: 'PROMOTED', to: 'VERIFYING', on: stepEnds, when: 'validation and gates look behind the switch' },
  { from: 'PROMOTED', to: 'VERIFIED', on: stepEnds, when: 'nothing is to be verified' },
  { from: 'VERIFYING', to: 'VERIFIED', on: stepEnds, when: 'verification passes' },
];

const waitingForPeople: readonly Row[] = [
  { from: 'AWAITING_APPROVAL', to: 'CANARY', on: ['promote'], when: 'a person promotes the stage' },
  {
    from: 'AWAITING_APPROVAL',
    to: 'PROMOTING',
    on: ['promote'],
    when: 'a person promotes the last stage, or orders the switch',
  },
];

const working = statuses.filter((status) => !finalStatuses.includes(status) && status !== 'ROLLING_BACK');

/** Ways out of a pause that do not lead back to where it began. */
const resuming: readonly Row[] = [
  { from: 'PAUSED', to: 'VERIFIED', on: ['resume', 'promote'], when: 'what was paused was the last step' },
  {
    from: 'PAUSED',
    to: 'AWAITING_APPROVAL',
    on: ['resume', 'promote', 'effect-done'],
    when: 'the next step is a person’s word',
  },
];

/** A person may pause anything that is on its way forward; a hold without a conclusion pauses by itself. */
const pausing: readonly Row[] = working
  .filter((status) => status !== 'PAUSED' && status !== 'INIT' && status !== 'AWAITING_APPROVAL')
  .flatMap((status): readonly Row[] => [
    {
      from: status,
      to: 'PAUSED',
      on: ['pause', 'judged', 'time-came'],
      when: 'a person pauses, or a hold ends without a conclusion',
    },
    { from: 'PAUSED', to: status, on: ['resume', 'promote'], when: 'a person resumes or promotes' },
  ]);

const goingBack: readonly Row[] = [
  ...working.map((from): Row => ({
    from,
    to: 'ROLLING_BACK',
    on: ['effect-failed', 'judged', 'candidate-lost', 'abort', 'time-came'],
    when: 'a step or a gate fails, the confidence score is too low, the candidate is lost, the deadline passes, or a person aborts',
  })),
  {
    from: 'PAUSED',
    to: 'ROLLING_BACK',
    on: ['resume'],
    when: 'a person resumes a hold behind which the confidence score is too low',
  },
  {
    from: 'ROLLING_BACK',
    to: 'ROLLED_BACK',
    on: ['effect-done', 'effect-failed'],
    when: 'all traffic is on stable and the candidate is gone',
  },
  ...(['ROLLING_BACK', 'VERIFYING', 'PROMOTED', 'PAUSED'] as const).map((from): Row => ({
    from,
    to: 'FAILED',
    on: ['effect-failed', 'judged', 'time-came', 'candidate-lost'],
    when: 'stable does not pass its validation, or cannot be brought up again; or a rollback does not come to its end behind its switch: a person must look',
  })),
];

export const machine: readonly Row[] = [...forward, ...waitingForPeople, ...pausing, ...resuming, ...goingBack];

const allowed = new Set(machine.flatMap((row) => row.on.map((event) => `${row.from} ${row.to} ${event}`)));

/** Whether the table has this change. Staying in a state is always allowed. */
export function isAllowed(from: Status, to: Status, event: EventKind): boolean {
  return from === to || allowed.has(`${from} ${to} ${event}`);
}
