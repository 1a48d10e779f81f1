// Turns: one piece of work at a time per scope, where spare work gives way to what people ask for.

import { scopeName, type Scope } from '../core/scope.ts';

export class Turns {
  readonly #tails = new Map<string, Promise<unknown>>();
  readonly #spare = new Map<string, AbortController>();

  /** Waits for its turn, after telling spare work to give way. */
  async take<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
    this.#spare.get(scopeName(scope))?.abort();
    return this.#queue(scope, work);
  }

  /** Does the work only when nothing else is at work; its signal aborts when somebody waits. */
  async spare(scope: Scope, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const name = scopeName(scope);
    if (this.#tails.has(name)) return;
    const giveWay = new AbortController();
    this.#spare.set(name, giveWay);
    try {
      await this.#queue(scope, () => work(giveWay.signal));
    } finally {
      this.#spare.delete(name);
    }
  }

  async #queue<T>(scope: Scope, work: () => Promise<T>): Promise<T> {
    const name = scopeName(scope);
    const turn = (this.#tails.get(name) ?? Promise.resolve()).then(work);
    const settled = turn.then(
      () => undefined,
      () => undefined,
    );
    this.#tails.set(name, settled);
    try {
      return await turn;
    } finally {
      if (this.#tails.get(name) === settled) this.#tails.delete(name);
    }
  }
}
