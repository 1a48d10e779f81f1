// One controller at a time changes what HAProxy loads from a directory, whichever scope it is about: a reload takes all of them along.

import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

import { diskFailure } from '../../../../base/system-error.ts';
import type { Clock } from '../../../../ports/clock.ts';
import { directoryFailure } from './directory-failure.ts';

const pollMs = 10;
const sqliteBusy = 5;

/**
 * An exclusive transaction on an empty SQLite file. Node has no file locks of its own; SQLite's are the kernel's, so the lock of
 * a killed controller is free at once.
 */
export async function withDirectoryLock<T>(
  directory: string,
  clock: Clock,
  act: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const path = join(directory, '.sluice.lock');
  const database = open(path, directory);
  try {
    while (!begin(database, path)) {
      signal?.throwIfAborted();
      await clock.sleep(pollMs, signal);
    }
    signal?.throwIfAborted();
    return await act();
  } finally {
    database.close();
  }
}

function open(path: string, directory: string): DatabaseSync {
  try {
    closeSync(openSync(path, 'a', 0o600));
    return new DatabaseSync(path);
  } catch (error) {
    throw directoryFailure(error, directory);
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
