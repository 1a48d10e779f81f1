// The only user of node:sqlite: opens a database file with care, runs statements, and tells errors apart.

import { closeSync, fsyncSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type * as sqlite from 'node:sqlite';

export type SqlValue = string | number | null;

export type Row = Readonly<Record<string, unknown>>;

/** How a database is opened. */
export interface DatabaseOptions {
  readonly file: string;
  readonly readOnly: boolean;
  /** How long SQLite itself waits, blocking the process, while another process writes; milliseconds. */
  readonly busyMs: number;
}

/** Why a statement failed, as far as the store has to tell it apart. */
export type DatabaseProblem = 'busy' | 'full' | 'corrupt' | 'unavailable';

const problemOfCode: Readonly<Record<number, DatabaseProblem>> = {
  3: 'unavailable', // SQLITE_PERM
  5: 'busy', // SQLITE_BUSY
  6: 'busy', // SQLITE_LOCKED
  8: 'unavailable', // SQLITE_READONLY
  10: 'unavailable', // SQLITE_IOERR
  11: 'corrupt', // SQLITE_CORRUPT
  13: 'full', // SQLITE_FULL
  14: 'unavailable', // SQLITE_CANTOPEN
  15: 'busy', // SQLITE_PROTOCOL: lost a race for the locks of the WAL
  22: 'unavailable', // SQLITE_NOLFS
  26: 'corrupt', // SQLITE_NOTADB
};

/** The problem behind an error of node:sqlite or of the file system; undefined for a defect of ours (syntax, constraint …). */
export function problemOf(error: unknown): DatabaseProblem | undefined {
  if (!(error instanceof Error)) return undefined;
  if ('errcode' in error && typeof error.errcode === 'number') return problemOfCode[error.errcode & 0xff];
  if (!('code' in error)) return undefined;
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') return 'full';
  return 'syscall' in error ? 'unavailable' : undefined;
}

let loaded: typeof sqlite | undefined;

/** Loads node:sqlite without the ExperimentalWarning that Node before 24.15 prints for it; no other warning is held back. */
function sqliteModule(): typeof sqlite {
  if (loaded !== undefined) return loaded;
  // oxlint-disable-next-line typescript/unbound-method -- called with process as its `this`, and put back as it was
  const { emitWarning } = process;
  process.emitWarning = (warning: string | Error, ...rest: unknown[]): void => {
    if (rest[0] !== 'ExperimentalWarning') Reflect.apply(emitWarning, process, [warning, ...rest]);
  };
  try {
    loaded = process.getBuiltinModule('node:sqlite');
    return loaded;
  } finally {
    process.emitWarning = emitWarning;
  }
}

export class Database {
  readonly #sqlite: sqlite.DatabaseSync;
  readonly #statements = new Map<string, sqlite.StatementSync>();
  readonly #file: string;
  readonly #identity: string;

  constructor(options: DatabaseOptions) {
    this.#file = options.file;
    const { DatabaseSync } = sqliteModule();
    this.#sqlite = new DatabaseSync(options.file, {
      readOnly: options.readOnly,
      timeout: options.busyMs,
      enableForeignKeyConstraints: true,
      allowExtension: false,
    });
    this.#identity = identityOf(options.file);
  }

  /** Runs statements that return nothing. */
  execute(sql: string): void {
    this.#sqlite.exec(sql);
  }

  /** Runs one statement and returns the id of the row it inserted, if it did. */
  run(sql: string, ...values: readonly SqlValue[]): number {
    return Number(this.#prepare(sql).run(...values).lastInsertRowid);
  }

  all(sql: string, ...values: readonly SqlValue[]): readonly Row[] {
    return this.#prepare(sql).all(...values);
  }

  get(sql: string, ...values: readonly SqlValue[]): Row | undefined {
    return this.#prepare(sql).get(...values);
  }

  /** The value of a pragma that answers with one value. */
  pragma(name: string): unknown {
    return Object.values(this.get(`PRAGMA ${name}`) ?? {})[0];
  }

  /** All of `work` from one snapshot. */
  read<T>(work: () => T): T {
    return this.#transaction('BEGIN DEFERRED', work);
  }

  /** All of `work` durably, or nothing of it; no other writer comes in between. */
  write<T>(work: () => T): T {
    return this.#transaction('BEGIN IMMEDIATE', work);
  }

  /** Whether the path still leads to the file that was opened; what is written to one that was removed is lost. */
  isInPlace(): boolean {
    return identityOf(this.#file) === this.#identity;
  }

  close(): void {
    this.#statements.clear();
    if (this.#sqlite.isOpen) this.#sqlite.close();
  }

  #transaction<T>(begin: string, work: () => T): T {
    this.#sqlite.exec(begin);
    try {
      const result = work();
      this.#sqlite.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite itself rolls back on some errors (a full disk among them) and not on others.
      if (this.#sqlite.isTransaction) this.#sqlite.exec('ROLLBACK');
      throw error;
    }
  }

  #prepare(sql: string): sqlite.StatementSync {
    const kept = this.#statements.get(sql);
    if (kept !== undefined) return kept;
    const statement = this.#sqlite.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

/** Makes sure that the file exists, readable by its owner only; its folders too, where they were missing. */
export function createPrivately(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  closeSync(openSync(file, 'a', 0o600));
}

/** Makes the file's name in its folder durable; SQLite does so for its journals only. */
export function syncFolder(file: string): void {
  const folder = openSync(dirname(file), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Blocks the process; for the short waits while a database is opened. */
export function blockFor(durationMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, durationMs);
}

function identityOf(file: string): string {
  const status = statSync(file, { throwIfNoEntry: false });
  return status === undefined ? 'none' : `${status.dev}:${status.ino}`;
}
