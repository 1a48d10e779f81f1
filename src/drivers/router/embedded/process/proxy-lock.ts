// The lock that a proxy holds as long as it serves its scope: there is never a second one.

import { DatabaseSync } from 'node:sqlite';

import { diskFailure } from '../../../../base/system-error.ts';

const sqliteBusy = 5;

/**
 * An exclusive transaction on an empty SQLite file. Node has no file locks of its own; SQLite's are the kernel's and end with their
 * holder, however it dies. Returns what releases it, or undefined when somebody else holds it.
 */
export function takeLock(path: string): (() => void) | undefined {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path);
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return undefined;
    throw diskFailure(error, path);
  }
  const held = database;
  return () => held.close();
}
