// Locks on files between the processes of one machine: that of a killed process is free at once, and nobody guesses whether it lives.

import { accessSync, closeSync, constants, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

import { diskFailure, isCode } from './system-error.ts';

export interface FileLockOptions {
  /** An empty file; made when it is missing. */
  readonly path: string;
  readonly clock: { now(): number; sleep(durationMs: number, signal?: AbortSignal): Promise<void> };
  /** What it means that the file cannot be opened; without it what the disk says. */
  readonly failure?: ((error: unknown) => unknown) | undefined;
  /** The act is begun without the lock when somebody else has held it for so long, and that is told. Without it: never. */
  readonly atLatest?: { readonly afterMs: number; readonly tell: () => void } | undefined;
  /** Called again and again while somebody else has it; what it rejects with ends the wait. */
  readonly whileWaiting?: ((waitedMs: number) => Promise<void>) | undefined;
}

const pollMs = 10;
const sqliteBusy = 5;

/**
 * Runs `act` while nobody else holds the lock. Rejects with what `signal` says when that aborts before it is the turn. A process that
 * is frozen keeps its lock.
 */
export async function withFileLock<T>(
  options: FileLockOptions,
  act: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const { path, clock, atLatest, whileWaiting } = options;
  const database = open(options);
  try {
    const began = clock.now();
    const until = atLatest === undefined ? Number.POSITIVE_INFINITY : began + atLatest.afterMs;
    while (!begin(database, path)) {
      signal?.throwIfAborted();
      if (clock.now() >= until) {
        atLatest?.tell();
        break;
      }
      await whileWaiting?.(clock.now() - began);
      await clock.sleep(pollMs, signal);
    }
    signal?.throwIfAborted();
    return await act();
  } finally {
    database.close();
  }
}

/** What releases the lock, which otherwise ends with this process; undefined when somebody else holds it. */
export function takeFileLock(path: string): (() => void) | undefined {
  const database = open({ path });
  let held = false;
  try {
    held = begin(database, path);
  } finally {
    if (!held) database.close();
  }
  return held ? () => database.close() : undefined;
}

function open({ path, failure = (error) => diskFailure(error, path) }: Pick<FileLockOptions, 'path' | 'failure'>) {
  try {
    createPrivately(path);
    return new DatabaseSync(path);
  } catch (error) {
    throw failure(error);
  }
}

/**
 * Whoever can read a file can also lock it for ever, so only its owner may. A file that is there is not opened: to close it would
 * give up the locks that this process has on it.
 */
function createPrivately(path: string): void {
  try {
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
    accessSync(path, constants.R_OK | constants.W_OK);
  }
}

/** An exclusive transaction on an empty SQLite file: Node has no file locks of its own; SQLite's are the kernel's. */
function begin(database: DatabaseSync, path: string): boolean {
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy) return false;
    throw diskFailure(error, path);
  }
}
