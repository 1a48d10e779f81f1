// How many lines are missing, by the router's own count of the requests that it finished.

/**
 * The count of the router and the lines that came are never read in the same instant, so lines that are still under way look like
 * lost ones. A deficit therefore counts only as far as it was there at two looks in a row.
 */
export class Reckoning {
  #base: { readonly total: number; readonly received: number } | undefined;
  #lastTotal = 0;
  #lastDeficit = 0;
  #told = 0;

  /** `total` by the router, read before `received` was; returns how many more are missing than were told of before. */
  look(total: number, received: number): number {
    // The router began to count anew.
    if (this.#base === undefined || total < this.#lastTotal) {
      this.#base = { total, received };
      [this.#lastDeficit, this.#told] = [0, 0];
    }
    this.#lastTotal = total;
    const deficit = total - this.#base.total - (received - this.#base.received);
    const certain = Math.min(deficit, this.#lastDeficit);
    this.#lastDeficit = deficit;
    const fresh = Math.max(0, certain - this.#told);
    this.#told += fresh;
    return fresh;
  }

  /** Losses that are known from elsewhere, which the router's count will show as well. */
  know(lost: number): void {
    this.#told += lost;
  }
}
