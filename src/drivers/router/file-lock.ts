// A lock on a file, for what only one controller at a time may change; that of a killed controller is free at once.

import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

import { diskFailure } from '../../base/system-error.ts';
import type { Clock } from '../../ports/clock.ts';

export interface FileLockOptions {
  /** An empty file; made when it is missing. */
  readonly path: string;
  readonly clock: Clock;
  /** What it means that the file cannot be opened; without it what the disk says. */
  readonly failure?: ((error: unknown) => unknown) | undefined;
  /** The act is begun without the lock when somebody else has held it for so long, and that is told. Without it: never. */
  readonly atLatest?: { readonly afterMs: number; readonly tell: () => void } | undefined;
}

const pollMs = 10;
const sqliteBusy = 5;

/**
 * An exclusive transaction on an empty SQLite file. Node has no file locks of its own; SQLite's are the kernel's, which frees them with
 * the process. A controller that is frozen keeps its lock.
 */
export async function withFileLock<T>(
  options: FileLockOptions,
  act: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { path, clock, atLatest } = options;
  const database = open(options);
  try {
    const until = atLatest === undefined ? Number.POSITIVE_INFINITY : clock.now() + atLatest.afterMs;
    while (!begin(database, path)) {
      signal?.throwIfAborted();
      if (clock.now() >= until) {
        atLatest?.tell();
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

function open({ path, failure = (error) => diskFailure(error, path) }: FileLockOptions): DatabaseSync {
  try {
    closeSync(openSync(path, 'a', 0o600));
    return new DatabaseSync(path);
  } catch (error) {
    throw failure(error);
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
