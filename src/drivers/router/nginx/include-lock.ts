// One controller at a time changes what NGINX serves by; one that stands still in the middle of it keeps nobody waiting for long.

import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

import type { Log } from '../../../base/log.ts';
import { diskFailure } from '../../../base/system-error.ts';
import type { Clock } from '../../../ports/clock.ts';

export interface IncludeLockOptions {
  /** An empty file; made when it is missing. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
}

const pollMs = 10;
/** A change is through by then, unless NGINX does not take it or its controller stands still. */
const waitMs = 3_000;
const sqliteBusy = 5;

/**
 * An exclusive transaction on an empty SQLite file. Node has no file locks of its own; SQLite's are the kernel's, so the lock of
 * a killed controller is free at once. That of a frozen one is not, and a way back must not depend on it: whoever has waited long enough
 * goes on without. So what is done under the lock still has to look, right before it writes, whether it was overtaken.
 */
export async function withIncludeLock<T>(
  { path, clock, log }: IncludeLockOptions,
  act: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const database = open(path);
  try {
    const until = clock.now() + waitMs;
    while (!begin(database, path)) {
      signal?.throwIfAborted();
      if (clock.now() >= until) {
        log.write('warn', 'another controller does not come to an end with NGINX; it is not waited for', {
          lock: path,
        });
        break;
      }
      await clock.sleep(pollMs, signal);
    }
    signal?.throwIfAborted();
    return await act();
  } finally {
    database.close();
  }
}

function open(path: string): DatabaseSync {
  try {
    closeSync(openSync(path, 'a', 0o600));
    return new DatabaseSync(path);
  } catch (error) {
    throw diskFailure(error, path);
  }
}

function begin(database: DatabaseSync, path: string): boolean {
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return false;
    throw diskFailure(error, path);
  }
}
