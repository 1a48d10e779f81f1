// The lock of a state directory: one controller at a time changes records and starts processes.

import { closeSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { diskFailure, isCode } from '../../../base/system-error.ts';
import type { Clock } from '../../../ports/clock.ts';

const pollMs = 10;
const sqliteBusy = 5;

/**
 * An exclusive transaction on an empty SQLite file. Node has no file locks of its own; SQLite's are the kernel's, so the lock of
 * a killed controller is free at once and nobody has to guess whether its holder still lives.
 */
export class StateLock {
  readonly #path: string;
  readonly #clock: Clock;
  /** The last holder or waiter of this object: calls of one controller queue here and never poll. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string, clock: Clock) {
    this.#path = path;
    this.#clock = clock;
  }

  /** Runs `act` while nobody else holds the lock. Rejects with what `signal` says when that aborts before it is the turn. */
  async hold<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const turn = this.#last.then(() => this.#locked(act, signal));
    this.#last = turn.catch(() => {});
    return turn;
  }

  async #locked<T>(act: () => Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    const database = await this.#open();
    try {
      while (!begin(database, this.#path)) {
        signal?.throwIfAborted();
        await this.#clock.sleep(pollMs, signal);
      }
      signal?.throwIfAborted();
      return await act();
    } finally {
      database.close();
    }
  }

  async #open(): Promise<DatabaseSync> {
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o755 });
      createPrivately(this.#path);
      return new DatabaseSync(this.#path);
    } catch (error) {
      throw diskFailure(error, this.#path);
    }
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
