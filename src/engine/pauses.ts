// Pauses between attempts that do not work: doubled each time, from one second to a minute.

import type { Clock } from '../ports/clock.ts';

const firstMs = 1_000;
const longestMs = 60_000;

/** By name; what works is forgotten. */
export class Pauses {
  readonly #clock: Clock;
  readonly #attempts = new Map<string, { readonly count: number; readonly notBefore: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the pause behind the newest attempt is not over. */
  last(name: string): boolean {
    return this.#clock.now() < (this.#attempts.get(name)?.notBefore ?? 0);
  }

  /** An attempt begins; how many there were with it. */
  begin(name: string): number {
    const count = (this.#attempts.get(name)?.count ?? 0) + 1;
    const pauseMs = Math.min(longestMs, firstMs * 2 ** Math.min(count - 1, 10));
    this.#attempts.set(name, { count, notBefore: this.#clock.now() + pauseMs });
    return count;
  }

  end(name: string): void {
    this.#attempts.delete(name);
  }
}
