// One effect at work: what it needs to be carried out, and the way in which its calls are tried again.

import { Failure } from '../base/failure.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Effect } from '../core/rollout/effect.ts';
import type { Dependencies, Drivers } from './dependencies.ts';
import { mayPass, retry } from './retry.ts';

export interface Performance {
  readonly deps: Dependencies;
  readonly drivers: Drivers;
  readonly deployment: string;
  readonly plan: Plan;
  readonly effect: Effect;
  /** Aborts when the effect is no longer wanted. */
  readonly signal: AbortSignal;
  /** Told when the effect did not work and is tried again. */
  readonly onRetry: (failure: unknown, attempt: number) => void;
}

/** Tries again for `forMs`, or for ever whatever the failure, except where newer routes are in force. */
export async function tried<T>(work: Performance, forMs: number | undefined, operation: () => Promise<T>): Promise<T> {
  const { clock, timing } = work.deps;
  return retry(operation, {
    clock,
    firstMs: timing.retryFirstMs,
    longestMs: timing.retryLongestMs,
    until: forMs === undefined ? undefined : clock.now() + forMs,
    signal: work.signal,
    may: (error) => !isStale(error) && (forMs === undefined || mayPass(error)),
    onRetry: work.onRetry,
  });
}

export function isStale(error: unknown): boolean {
  return error instanceof Failure && error.code === 'router.stale';
}
