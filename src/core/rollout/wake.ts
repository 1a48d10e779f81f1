// When a rollout needs to be told that time has come.

import type { Rollout } from './rollout.ts';
import { isFinal, isWaiting } from './status.ts';

/** Epoch milliseconds; undefined while only an outcome or a person can move it. */
export function wakeAt(rollout: Rollout): number | undefined {
  if (isFinal(rollout.status) || isWaiting(rollout.status)) return undefined;
  if (rollout.course === 'back') return rollout.until;
  return Math.min(rollout.until ?? Number.POSITIVE_INFINITY, rollout.deadlineAt);
}
