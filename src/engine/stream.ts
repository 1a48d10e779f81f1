// The event stream: kept records as they are committed, by whichever process, and live numbers of this one in between.

import { sameScope, type Scope } from '../core/scope.ts';
import type { EventRecord } from '../core/rollout/record.ts';
import type { Clock } from '../ports/clock.ts';
import type { Store } from '../ports/store.ts';
import type { LiveNumbers, StreamItem, StreamQuery } from './controller.ts';

const pollMs = 250;
const batch = 200;

/** Live numbers that a reader has not taken yet; older ones are of no use to anybody. */
const liveKept = 16;

interface Reader {
  readonly query: StreamQuery;
  readonly live: StreamItem[];
  wake: AbortController;
}

export class Stream {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #readers = new Set<Reader>();
  readonly #latest = new Map<string, { readonly scope: Scope; readonly live: LiveNumbers }>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Wakes readers after a commit of this process; those of other processes are found by looking regularly. */
  committed(): void {
    for (const reader of this.#readers) reader.wake.abort();
  }

  live(scope: Scope, deployment: string, live: LiveNumbers): void {
    this.#latest.set(deployment, { scope, live });
    for (const reader of this.#readers) {
      if (!wanted(reader.query, scope, deployment)) continue;
      reader.live.push({ kind: 'live', scope, deployment, live });
      if (reader.live.length > liveKept) reader.live.shift();
      reader.wake.abort();
    }
  }

  /** The newest live numbers of a deployment, until they are forgotten. */
  latest(deployment: string): LiveNumbers | undefined {
    return this.#latest.get(deployment)?.live;
  }

  forget(deployment: string): void {
    this.#latest.delete(deployment);
  }

  async *read(query: StreamQuery, signal: AbortSignal): AsyncGenerator<StreamItem> {
    const reader: Reader = { query, live: [], wake: new AbortController() };
    this.#readers.add(reader);
    try {
      let after = query.after ?? (await this.#newest(query));
      while (!signal.aborted) {
        reader.wake = new AbortController();
        const records = await this.#records(query, after);
        for (const record of records) yield { kind: 'record', record };
        after = records.at(-1)?.sequence ?? after;
        yield* reader.live.splice(0);
        if (records.length < batch) await this.#clock.sleep(pollMs, AbortSignal.any([signal, reader.wake.signal]));
      }
    } finally {
      this.#readers.delete(reader);
    }
  }

  async #records(query: StreamQuery, after: number): Promise<readonly EventRecord[]> {
    return this.#store.records({ scope: query.scope, deployment: query.deployment, after, limit: batch });
  }

  /** The sequence number of the newest kept record that the query is about. */
  async #newest(query: StreamQuery): Promise<number> {
    const { scope, deployment } = query;
    const [newest] = await this.#store.records({ scope, deployment, order: 'newest first', limit: 1 });
    return newest?.sequence ?? 0;
  }
}

function wanted(query: StreamQuery, scope: Scope, deployment: string): boolean {
  if (query.deployment !== undefined) return query.deployment === deployment;
  return query.scope === undefined || sameScope(query.scope, scope);
}
