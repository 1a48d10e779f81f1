// Faults of the simulated world: calls that fail, are slow, or succeed without the caller learning of it; controllers that crash or freeze.

import { Failure } from '../../src/base/failure.ts';
import { noNumber, noNumberReasons, type NoNumber } from '../../src/core/metrics/question.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Random } from './random.ts';

export interface FaultPlan {
  /** Chance that a call is struck, while the budget lasts. */
  readonly chance: number;
  /** So many faults strike at most, so that everything can end. */
  readonly budget: number;
}

/** Strikes calls of the drivers; what the world itself does is never struck. */
export class Faults {
  readonly #random: Random;
  readonly #clock: Clock;
  readonly #chance: number;
  #left: number;

  constructor(random: Random, clock: Clock, plan: FaultPlan) {
    this.#random = random;
    this.#clock = clock;
    this.#chance = plan.chance;
    this.#left = plan.budget;
  }

  /** Hook for the memory drivers; `before` fails without effect, `after` is a lost answer, either may be slow. */
  readonly strike = async (what: string): Promise<void> => {
    if (this.#left === 0 || !this.#random.chance(this.#chance)) return;
    this.#left -= 1;
    if (this.#random.chance(0.4)) return this.#clock.sleep(this.#random.between(100, 8_000));
    throw new Failure('router.unreachable', `${what} does not answer`, { remedy: 'This is a simulated fault.' });
  };

  /** A metric source that has no number. */
  strikeAnswer(): NoNumber | 'silent' | undefined {
    if (this.#left === 0 || !this.#random.chance(this.#chance)) return undefined;
    this.#left -= 1;
    const reason = this.#random.pick([...noNumberReasons, 'silent'] as const);
    return reason === 'silent' ? reason : noNumber(reason, 'a simulated fault');
  }

  /** The same for the store, whose failures have codes of their own. */
  readonly strikeStore = async (): Promise<void> => {
    if (this.#left === 0 || !this.#random.chance(this.#chance / 2)) return;
    this.#left -= 1;
    throw new Failure('store.unavailable', 'the store does not answer', { remedy: 'This is a simulated fault.' });
  };
}

/** A promise that never settles: what a call of a crashed controller comes to. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
