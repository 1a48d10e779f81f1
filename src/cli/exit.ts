// Exit codes: what a state of a deployment, a failure or a signal means to a script.

import { exitCodes, type ExitName, failureCatalogue } from '../base/failure-catalogue.ts';
import type { FailureData } from '../base/failure.ts';
import { isWaiting, type Status } from '../core/rollout/status.ts';
import type { SignalName } from './context.ts';

/** The exit of a command that followed a deployment until this state. */
export function exitOfStatus(status: Status): ExitName {
  if (status === 'ROLLED_BACK' || status === 'ROLLING_BACK') return 'wentBack';
  if (status === 'FAILED') return 'needsPerson';
  return isWaiting(status) ? 'waiting' : 'done';
}

/** The exit of a command that was to bring the traffic back: what `deploy` calls a failure is success here. */
export function exitOfReturn(status: Status): ExitName {
  return status === 'ROLLED_BACK' || status === 'ROLLING_BACK' ? 'done' : exitOfStatus(status);
}

export function exitOfFailure(failure: FailureData): ExitName {
  return failureCatalogue[failure.code].exit;
}

export function codeOf(name: ExitName): number {
  return exitCodes[name].code;
}

const signalNumbers: Readonly<Record<SignalName, number>> = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };

/** 128 and the signal's number, as shells have it: the command was ended before the outcome was known. */
export function codeOfSignal(signal: SignalName): number {
  return 128 + signalNumbers[signal];
}

/** 128 + SIGPIPE: nobody reads the output any more, and the outcome was not known yet. */
export const codeOfClosedOutput = 141;
