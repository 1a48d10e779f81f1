// Tries an operation again with growing pauses, until it works, cannot work, is given up or its time is over.

import { Failure } from '../base/failure.ts';
import { failureCatalogue } from '../base/failure-catalogue.ts';
import type { Clock } from '../ports/clock.ts';

export interface RetryRules {
  readonly clock: Clock;
  readonly firstMs: number;
  readonly longestMs: number;
  /** Epoch milliseconds after which a failure stands; undefined: never. */
  readonly until?: number | undefined;
  readonly signal: AbortSignal;
  /** Whether trying again can help after this failure. */
  readonly may: (error: unknown) => boolean;
  /** Told of each failure that will be tried again. */
  readonly onRetry: (failure: unknown, attempt: number) => void;
}

/** Rejects with the last failure; when the signal aborts, with the failure or the signal's reason. */
export async function retry<T>(operation: () => Promise<T>, rules: RetryRules): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    rules.signal.throwIfAborted();
    try {
      return await operation();
    } catch (error) {
      const pauseMs = Math.min(rules.longestMs, rules.firstMs * 2 ** Math.min(attempt - 1, 20));
      const over = rules.until !== undefined && rules.clock.now() + pauseMs > rules.until;
      if (rules.signal.aborted || over || !rules.may(error)) throw error;
      rules.onRetry(error, attempt);
      await rules.clock.sleep(pauseMs, rules.signal);
    }
  }
}

/** Whether trying again can help: what is wrong with the request itself, or with the release, stays wrong. */
export function mayPass(error: unknown): boolean {
  return !(error instanceof Failure) || failureCatalogue[error.code].exit === 'unavailable';
}
