// NGINX's log as a feed: asks it to write the log while somebody reads, and follows the include to another port.

import { Failure } from '../../../base/failure.ts';
import type { Log } from '../../../base/log.ts';
import type { SampleBatch } from '../../../core/gate/sample.ts';
import type { NginxRouterSpec } from '../../../core/plan/spec.ts';
import type { Clock } from '../../../ports/clock.ts';
import { LogFeed } from '../log-feed/feed.ts';
import { askTotals } from './ask.ts';
import type { Facts } from './facts.ts';
import type { Files } from './files.ts';
import type { Instances } from './instances.ts';
import type { Model } from './model.ts';
import { parseRoutes } from './stored-routes.ts';

export interface NginxFeedOptions {
  readonly spec: NginxRouterSpec;
  readonly files: Files;
  readonly facts: Facts;
  readonly instances: Instances;
  readonly clock: Clock;
  readonly log: Log;
}

const againMs = 100;

interface Current {
  readonly key: string;
  readonly feed: LogFeed;
  /** Aborts when the include names another port. */
  readonly over: AbortController;
}

export class NginxFeed {
  readonly #options: NginxFeedOptions;
  #current: Current | undefined;
  #readers = 0;

  constructor(options: NginxFeedOptions) {
    this.#options = options;
  }

  get isReading(): boolean {
    return this.#readers > 0;
  }

  /** Told of each change of the include; undefined: it was taken away, and who reads waits for another one. */
  changed(model: Model | undefined): void {
    if (this.#current === undefined || (model !== undefined && this.#current.key === keyOf(model))) return;
    this.#current.over.abort();
    this.#current = undefined;
  }

  async *read(signal: AbortSignal): AsyncIterable<SampleBatch> {
    this.#readers += 1;
    try {
      while (!signal.aborted) {
        const model = await this.#model();
        if (model === undefined) {
          await this.#options.clock.sleep(againMs, signal);
          continue;
        }
        const { feed, over } = this.#of(model);
        yield* feed.read(AbortSignal.any([signal, over.signal]));
      }
    } finally {
      this.#readers -= 1;
    }
  }

  /** Undefined as long as there is no include; what is wrong with it, `apply` says. */
  async #model(): Promise<Model | undefined> {
    const { files, instances, log } = this.#options;
    try {
      const disk = await files.read();
      if (disk === undefined) return undefined;
      for (const text of await files.allRoutes()) instances.learnText(text);
      const table = await files.tableOf(disk.model.generation);
      const text = table === undefined ? undefined : await files.routesText(table);
      if (text !== undefined) instances.place(parseRoutes(text, files.directory), disk.model);
      return disk.model;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      log.write('warn', 'the feed of NGINX waits', { problem: error.message });
      return undefined;
    }
  }

  #of(model: Model): Current {
    const key = keyOf(model);
    if (this.#current?.key === key) return this.#current;
    const { spec, files, instances, clock, log } = this.#options;
    const counting = new Counting(this.#options, model.askToken);
    const feed = new LogFeed({
      transport: 'udp',
      host: spec.feedHost,
      port: model.feedPort,
      token: model.feedToken,
      resolve: (line) => instances.whose(line),
      totals: () => counting.total(),
      onListening: async (listening) => {
        counting.begin();
        await files.setFeed(listening);
      },
      clock,
      log,
    });
    this.#current = { key, feed, over: new AbortController() };
    return this.#current;
  }
}

function keyOf({ feedPort, feedToken }: Model): string {
  return `${feedPort} ${feedToken}`;
}

/** Requests that had begun when the log was asked for are not in it, so the count is compared only when most of them have ended. */
const beginMs = 5_000;

/** NGINX's own count. It is one for all servers, so it says nothing where there are others than ours. */
class Counting {
  readonly #spec: NginxRouterSpec;
  readonly #token: string;
  readonly #facts: Facts;
  readonly #clock: Clock;
  #since = 0;

  constructor({ spec, facts, clock }: NginxFeedOptions, token: string) {
    this.#spec = spec;
    this.#token = token;
    this.#facts = facts;
    this.#clock = clock;
  }

  begin(): void {
    this.#since = this.#clock.now();
  }

  async total(): Promise<number | undefined> {
    if (this.#clock.now() - this.#since < beginMs || !(await this.#facts.get()).alone) return undefined;
    return (await askTotals(this.#spec, this.#token)).finished;
  }
}
