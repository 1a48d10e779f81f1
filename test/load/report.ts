// What a load saw, and how it is counted.

import type { Target } from './target.ts';

export interface LoadOrder {
  readonly port: number;
  /** The service made for the load, where nothing else is said. */
  readonly target?: Target | undefined;
  /** Keep-alive connections with one plain request after the other. */
  readonly connections: number;
  /** Plain requests per second over all connections, at most. */
  readonly requestsPerSecond: number;
  readonly downloads: number;
  readonly uploads: number;
  readonly sockets: number;
  /** Streams and sockets live for a random time up to this. */
  readonly streamMsMax: number;
}

export type Kind = 'request' | 'download' | 'upload' | 'socket';

export interface LoadFailure {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly kind: Kind;
  readonly problem: string;
  /** Milliseconds since the request or stream began. */
  readonly after: number;
  readonly instance?: string | undefined;
}

export interface LoadReport {
  /** Plain requests that were answered, or failed. */
  readonly requests: number;
  /** Errors that a release gave on purpose; not counted as failed. */
  readonly deliberate: number;
  /** Plain requests with a broken connection, an unexpected status, or a wrong or truncated body. */
  readonly failed: number;
  /** Streams and sockets that ended whole. */
  readonly streams: number;
  /** Streams and sockets that could not begin, or broke off. */
  readonly cut: number;
  /** The first of both, for finding out why. */
  readonly failures: readonly LoadFailure[];
  /** Longest time between two good answers to plain requests; milliseconds. */
  readonly longestGapMs: number;
  /** Longest time in which the generator itself was kept from running; a gap cannot be told from it. */
  readonly longestStallMs: number;
  /** Connections that were closed between two requests; they are opened again and count as no failure. */
  readonly reconnects: number;
  /** Plain requests by the version that served them. */
  readonly versions: Readonly<Record<string, number>>;
}

/** When the load has ended. */
export interface LastReport extends LoadReport {
  /** When plain requests came to a router whose answers say it, by the version that served them; epoch milliseconds. */
  readonly routed: Readonly<Record<string, readonly number[]>>;
}

const failuresKept = 50;

export class Tally {
  #requests = 0;
  #deliberate = 0;
  #failed = 0;
  #streams = 0;
  #cut = 0;
  #reconnects = 0;
  #longestGapMs = 0;
  #servedAt: number | undefined;
  readonly #failures: LoadFailure[] = [];
  readonly #versions = new Map<string, number>();
  readonly #routed = new Map<string, number[]>();

  served(version: string): void {
    this.#requests += 1;
    this.#versions.set(version, (this.#versions.get(version) ?? 0) + 1);
    const now = performance.now();
    if (this.#servedAt !== undefined) this.#longestGapMs = Math.max(this.#longestGapMs, now - this.#servedAt);
    this.#servedAt = now;
  }

  deliberate(version: string): void {
    this.served(version);
    this.#deliberate += 1;
  }

  /** `at` in epoch milliseconds. */
  routed(version: string, at: number): void {
    const known = this.#routed.get(version);
    if (known === undefined) this.#routed.set(version, [at]);
    else known.push(at);
  }

  streamed(): void {
    this.#streams += 1;
  }

  reconnected(): void {
    this.#reconnects += 1;
  }

  /** `startedAt` by `performance.now()`. */
  failed(kind: Kind, problem: string, startedAt: number, instance?: string): void {
    if (kind === 'request') {
      this.#requests += 1;
      this.#failed += 1;
    } else this.#cut += 1;
    if (this.#failures.length >= failuresKept) return;
    this.#failures.push({ at: Date.now(), kind, problem, after: Math.round(performance.now() - startedAt), instance });
  }

  lastReport(longestStallMs: number): LastReport {
    return { ...this.report(longestStallMs), routed: Object.fromEntries(this.#routed) };
  }

  report(longestStallMs: number): LoadReport {
    return {
      requests: this.#requests,
      deliberate: this.#deliberate,
      failed: this.#failed,
      streams: this.#streams,
      cut: this.#cut,
      failures: [...this.#failures],
      longestGapMs: Math.round(this.#longestGapMs),
      longestStallMs: Math.round(longestStallMs),
      reconnects: this.#reconnects,
      versions: Object.fromEntries(this.#versions),
    };
  }
}
