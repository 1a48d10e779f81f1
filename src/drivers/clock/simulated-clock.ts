// A clock that moves only when it is told to: for tests and the simulation.

import type { Clock } from '../../ports/clock.ts';

interface Sleeper {
  readonly wakeAt: number;
  readonly order: number;
  readonly wake: () => void;
}

export class SimulatedClock implements Clock {
  #now: number;
  #order = 0;
  /** Sorted by time, then by the order in which they went to sleep. */
  readonly #sleepers: Sleeper[] = [];

  /** `startAt` in epoch milliseconds. */
  constructor(startAt: number) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  async sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const sleeper: Sleeper = { wakeAt: this.#now + Math.max(0, durationMs), order: this.#order++, wake: resolve };
    this.#insert(sleeper);
    const onAbort = (): void => {
      const index = this.#sleepers.indexOf(sleeper);
      if (index !== -1) this.#sleepers.splice(index, 1);
      resolve();
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    await promise;
    signal?.removeEventListener('abort', onAbort);
  }

  /** When the next sleeper wakes; undefined when nobody sleeps. */
  get nextWake(): number | undefined {
    return this.#sleepers[0]?.wakeAt;
  }

  /** Moves to the next sleeper's time and wakes it; false when nobody sleeps. */
  step(): boolean {
    const sleeper = this.#sleepers.shift();
    if (sleeper === undefined) return false;
    this.#now = Math.max(this.#now, sleeper.wakeAt);
    sleeper.wake();
    return true;
  }

  /** Sets the clock without waking anybody, as an administrator does; may go back. */
  set(now: number): void {
    this.#now = now;
  }

  #insert(sleeper: Sleeper): void {
    let index = this.#sleepers.length;
    while (index > 0 && later(this.#sleepers[index - 1], sleeper)) index -= 1;
    this.#sleepers.splice(index, 0, sleeper);
  }
}

function later(a: Sleeper | undefined, b: Sleeper): boolean {
  return a !== undefined && a.wakeAt > b.wakeAt;
}
