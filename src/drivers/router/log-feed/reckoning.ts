// How many lines are missing, by the router's own count of the requests that it finished.

/** One look at the router's count, between two looks at the lines that came. */
export interface Look {
  /** By the router. */
  readonly total: number;
  /** Lines that had come before the router was asked. */
  readonly before: number;
  /** Lines that had come when all those that it had counted must have. */
  readonly after: number;
}

/**
 * The count of the router and the lines that came are never read in the same instant. How far the lines are ahead of the count is
 * therefore known only within bounds: at least `before - total`, at most `after - total`. It falls only when lines are lost, so
 * what is missing for certain is how far the upper bound of now lies below the highest lower bound there was. Under steady load
 * the bounds are as far apart as the lines of some 100 ms; whenever traffic pauses they meet.
 */
export class Reckoning {
  #lead: number | undefined;
  #lastTotal = 0;

  /** How many more are missing than were told of before. */
  look({ total, before, after }: Look): number {
    // The router began to count anew.
    if (total < this.#lastTotal) this.#lead = undefined;
    this.#lastTotal = total;
    const missing = Math.max(0, (this.#lead ?? -Infinity) - (after - total));
    this.#lead = Math.max((this.#lead ?? -Infinity) - missing, before - total);
    return missing;
  }

  /** Losses that are known from elsewhere, which the router's count will show as well. */
  know(lost: number): void {
    if (this.#lead !== undefined) this.#lead -= lost;
  }
}
