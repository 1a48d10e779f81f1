// One controller at a time changes what NGINX serves by; one that stands still in the middle of it keeps nobody waiting for long.

import type { Log } from '../../../base/log.ts';
import { withFileLock } from '../../../base/file-lock.ts';
import type { Clock } from '../../../ports/clock.ts';

export interface IncludeLockOptions {
  /** An empty file; made when it is missing. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** A change is through by then, unless NGINX does not take it or its controller stands still. */
const waitMs = 3_000;

/**
 * The lock of a frozen controller stays, and a way back must not depend on it: whoever has waited long enough goes on without. So what
 * is done under the lock still has to look, right before it writes, whether it was overtaken.
 */
export async function withIncludeLock<T>(
  { path, clock, log }: IncludeLockOptions,
  act: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const tell = (): void =>
    log.write('warn', 'another controller does not come to an end with NGINX; it is not waited for', { lock: path });
  return withFileLock({ path, clock, atLatest: { afterMs: waitMs, tell } }, act, signal);
}
