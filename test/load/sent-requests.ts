// When the router sent each request to which release, read from its feed of finished requests.

import type { SampleBatch } from '../../src/core/gate/sample.ts';
import type { ReleaseId } from '../../src/core/release.ts';

/** Who can say when requests were sent to a release. */
export interface Sent {
  /** Epoch milliseconds of the last request that was sent to the release between two moments; undefined where none was, `NaN` where that is not known. */
  lastBetween(left: Left, from: number, to: number): number | undefined;
}

interface Left {
  readonly release: ReleaseId;
  readonly version: string;
}

/** By what a router wrote on its answers. */
export function sentByAnswers(routed: Readonly<Record<string, readonly number[]>>): Sent {
  return { lastBetween: ({ version }, from, to) => lastOf(routed[version], from, to) };
}

/** Undefined where there is none. */
function lastOf(moments: readonly number[] | undefined, from: number, to: number): number | undefined {
  return moments?.filter((at) => at >= from && at <= to).reduce((last, at) => Math.max(last, at), from);
}

/** By the feed. */
export class SentRequests implements Sent {
  readonly #stop = new AbortController();
  readonly #byRelease = new Map<ReleaseId, number[]>();
  readonly #reading: Promise<void>;
  #lost = 0;

  /** Begins to read. */
  constructor(feed: (signal: AbortSignal) => AsyncIterable<SampleBatch>) {
    this.#reading = this.#read(feed(this.#stop.signal));
  }

  /** Ends the reading; call it when the load has ended, because only finished requests are told. */
  async end(): Promise<void> {
    this.#stop.abort();
    await this.#reading;
  }

  lastBetween({ release }: Left, from: number, to: number): number | undefined {
    if (this.#lost > 0) return Number.NaN;
    return lastOf(this.#byRelease.get(release), from, to);
  }

  async #read(feed: AsyncIterable<SampleBatch>): Promise<void> {
    for await (const { samples, lost } of feed) {
      this.#lost += lost;
      for (const { release, at, latencyMs } of samples) this.#of(release).push(at - latencyMs);
    }
  }

  #of(release: ReleaseId): number[] {
    const known = this.#byRelease.get(release);
    if (known !== undefined) return known;
    const fresh: number[] = [];
    this.#byRelease.set(release, fresh);
    return fresh;
  }
}
