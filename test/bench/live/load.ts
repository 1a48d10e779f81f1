// Steady traffic by chance: so many requests a second on average, whatever the answers do, counted by the release that answered.

import { Agent, request } from 'node:http';

/** What the users of one release saw. */
export interface Seen {
  requests: number;
  failed: number;
  /** `performance.now()` of its first and its last answer. */
  first: number;
  last: number;
}

export class Load {
  readonly #port: number;
  readonly #perSecond: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });
  readonly #seen = new Map<string, Seen>();
  #timer: NodeJS.Timeout | undefined;
  #open = 0;
  /** Requests that got no answer at all, or one of the proxy's own. */
  broken = 0;

  constructor(port: number, perSecond: number) {
    this.#port = port;
    this.#perSecond = perSecond;
  }

  start(): void {
    let due = performance.now();
    const tick = (): void => {
      for (const now = performance.now(); due <= now; due += this.#pauseMs()) this.#send();
      this.#timer = setTimeout(tick, Math.max(0, due - performance.now()));
    };
    tick();
  }

  /** Exponential pauses: requests do not wait for each other. */
  #pauseMs(): number {
    return (-Math.log(1 - Math.random()) * 1000) / this.#perSecond;
  }

  #send(): void {
    this.#open += 1;
    const sent = request({ port: this.#port, host: '127.0.0.1', agent: this.#agent, path: '/' }, (response) => {
      response.resume();
      response.on('close', () => {
        this.#open -= 1;
        const name = response.headers['x-release'];
        if (typeof name !== 'string' || !response.complete) this.broken += 1;
        else this.#count(name, (response.statusCode ?? 0) >= 500);
      });
    });
    sent.on('error', () => {
      this.#open -= 1;
      this.broken += 1;
    });
    sent.end();
  }

  #count(name: string, failed: boolean): void {
    const now = performance.now();
    const seen = this.#seen.get(name) ?? { requests: 0, failed: 0, first: now, last: now };
    seen.requests += 1;
    if (failed) seen.failed += 1;
    seen.last = now;
    this.#seen.set(name, seen);
  }

  seen(name: string): Seen {
    return this.#seen.get(name) ?? { requests: 0, failed: 0, first: 0, last: 0 };
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    const givesUpAt = performance.now() + 5_000;
    while (this.#open > 0 && performance.now() < givesUpAt) await new Promise((resolve) => setTimeout(resolve, 20));
    this.#agent.destroy();
  }
}
