// The lock of a state directory: one controller at a time changes records and starts processes.

import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { withFileLock } from '../../../base/file-lock.ts';
import { diskFailure } from '../../../base/system-error.ts';
import type { Clock } from '../../../ports/clock.ts';

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
    await this.#makeDirectory();
    return withFileLock({ path: this.#path, clock: this.#clock }, act, signal);
  }

  async #makeDirectory(): Promise<void> {
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o755 });
    } catch (error) {
      throw diskFailure(error, this.#path);
    }
  }
}
