// Opens the file of a SQLite store: looks before it touches, then migrates; never writes to what it does not understand.

import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { failureCatalogue } from '../../../base/failure-catalogue.ts';
import { Failure } from '../../../base/failure.ts';
import type { Log } from '../../../base/log.ts';
import { Database, blockFor, createPrivately, problemOf, syncFolder } from './database.ts';
import { DamagedRow } from './rows.ts';
import { applicationId, migrations } from './schema.ts';

/** How long SQLite itself may block the process on another process's write; beyond it the driver waits without blocking. */
const blockingMs = 100;

/** How often opening is tried while another process is opening or recovering the same file. */
const openAttempts = 50;

/** Opens, checks and migrates. Throws `store.corrupt`, `store.newer`, `store.full`, `store.unavailable`. */
export function openDatabase(file: string, log: Log): Database {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return openOnce(file, log);
    } catch (error) {
      if (problemOf(error) !== 'busy' || attempt >= openAttempts) throw storeFailure(file, error);
      blockFor(20 * Math.random() + 10);
    }
  }
}

function openOnce(file: string, log: Log): Database {
  createPrivately(file);
  inspect(file);
  const database = new Database({ file, readOnly: false, busyMs: blockingMs });
  try {
    if (database.pragma('journal_mode = WAL') !== 'wal') throw withoutWal(file);
    // Every commit reaches the disk before its effects are issued.
    database.execute('PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA journal_size_limit = 16777216');
    migrate(file, database, log);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Looks at the file without being able to change it, so that what is refused stays as it is. */
function inspect(file: string): void {
  const database = new Database({ file, readOnly: true, busyMs: blockingMs });
  try {
    // One snapshot: another process may be making the tables right now.
    database.read(() => assertReadable(file, database));
    const damage = database.pragma('quick_check(1)');
    if (damage !== 'ok') throw corrupt(file, String(damage));
  } finally {
    database.close();
  }
}

function assertReadable(file: string, database: Database): void {
  const version = Number(database.pragma('user_version'));
  const owner = Number(database.pragma('application_id'));
  const isEmpty = Number(database.get('SELECT count(*) AS tables FROM sqlite_schema')?.['tables']) === 0;
  if (version === 0 && owner === 0 && isEmpty) return;
  if (owner !== applicationId) throw corrupt(file, 'it is the database of another program');
  if (version > migrations.length) throw newer(file, version);
}

function migrate(file: string, database: Database, log: Log): void {
  if (Number(database.pragma('user_version')) === migrations.length) return;
  database.write(() => {
    // Another process may have migrated while this one waited for the lock.
    assertReadable(file, database);
    const from = Number(database.pragma('user_version'));
    for (const migration of migrations.slice(from)) database.execute(migration);
    database.execute(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length}`);
    if (from > 0) log.write('info', 'store migrated', { file, from, to: migrations.length });
  });
  syncFolder(file);
}

/** What went wrong with the file, as a failure; a defect of ours is returned as it is. */
export function storeFailure(file: string, error: unknown): unknown {
  if (error instanceof Failure) return error;
  if (error instanceof DamagedRow) return corrupt(file, error.message, error);
  const problem = problemOf(error);
  if (problem === undefined) return error;
  const words = error instanceof Error ? error.message : String(error);
  if (problem === 'corrupt') return corrupt(file, words, error);
  if (problem === 'full' || (problem === 'unavailable' && hasNoSpace(file)))
    return failure('store.full', file, `There is no space left for the store ${file}: ${words}.`, error);
  if (problem === 'busy')
    return failure('store.unavailable', file, `Another process holds the store ${file} for too long: ${words}.`, error);
  return failure('store.unavailable', file, `The store ${file} cannot be opened or written: ${words}.`, error);
}

/** The files that SQLite keeps beside the database need some tens of kilobytes. */
const leastFreeBytes = 64 * 1024;

/** Without space for those files SQLite says only that something did not work. */
function hasNoSpace(file: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(dirname(file));
    return bavail * bsize < leastFreeBytes;
  } catch {
    return false;
  }
}

function corrupt(file: string, words: string, cause?: unknown): Failure {
  return failure('store.corrupt', file, `The store ${file} is damaged: ${words}.`, cause);
}

function newer(file: string, version: number): Failure {
  const message = `The store ${file} has version ${version}; this Sluice knows versions up to ${migrations.length}.`;
  return failure('store.newer', file, message);
}

function withoutWal(file: string): Failure {
  const remedy = 'Put the store on a local disk; a network file system does not do.';
  return new Failure('store.unavailable', `The file system of ${file} cannot share a database.`, { at: file, remedy });
}

/** The file is no longer where it was opened: what would be written is lost. */
export function moved(file: string): Failure {
  const remedy = 'Put the file back and start the server again, or start it anew.';
  return new Failure('store.unavailable', `The store ${file} was moved or removed while it was open.`, {
    at: file,
    remedy,
  });
}

function failure(
  code: 'store.corrupt' | 'store.newer' | 'store.full' | 'store.unavailable',
  at: string,
  message: string,
  cause?: unknown,
): Failure {
  return new Failure(code, message, { at, remedy: failureCatalogue[code].remedy, cause });
}
