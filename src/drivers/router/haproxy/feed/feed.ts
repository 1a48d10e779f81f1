// HAProxy's log as a feed: knows its lines by the token in the configuration, and follows the configuration to another one.

import { Failure } from '../../../../base/failure.ts';
import type { Log } from '../../../../base/log.ts';
import type { SampleBatch } from '../../../../core/gate/sample.ts';
import type { Address } from '../../../../core/instance.ts';
import type { Clock } from '../../../../ports/clock.ts';
import { LogFeed } from '../../log-feed/feed.ts';
import type { ScopeFiles } from '../install/files.ts';
import { parseLogLine, whoseLine } from './log-line.ts';

export interface HaproxyFeedOptions {
  readonly listen: Address;
  readonly files: ScopeFiles;
  /** Requests that HAProxy finished for the scope since it started. */
  readonly totals: () => Promise<number>;
  readonly clock: Clock;
  readonly log: Log;
}

const againMs = 100;

interface Current {
  readonly token: string;
  readonly feed: LogFeed;
  /** Aborts when the configuration has another token. */
  readonly over: AbortController;
}

/** There is one per scope. */
export class HaproxyFeed {
  readonly #options: HaproxyFeedOptions;
  #current: Current | undefined;
  #told = false;

  constructor(options: HaproxyFeedOptions) {
    this.#options = options;
  }

  /** Told of the token with each change of the configuration; undefined: there is none any more, and readers wait for the next. */
  changed(token: string | undefined): void {
    if (this.#current === undefined || this.#current.token === token) return;
    this.#current.over.abort();
    this.#current = undefined;
  }

  async *read(signal: AbortSignal): AsyncIterable<SampleBatch> {
    while (!signal.aborted) {
      const token = await this.#token();
      if (token === undefined) {
        await this.#options.clock.sleep(againMs, signal);
        continue;
      }
      const { feed, over } = this.#of(token);
      yield* feed.read(AbortSignal.any([signal, over.signal]));
    }
  }

  /** Undefined as long as there is no configuration; what is wrong with it, `apply` says. */
  async #token(): Promise<string | undefined> {
    try {
      return (await this.#options.files.layout())?.feedToken;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      if (!this.#told) this.#options.log.write('warn', 'the feed of HAProxy waits', { problem: error.message });
      this.#told = true;
      return undefined;
    }
  }

  #of(token: string): Current {
    if (this.#current?.token === token) return this.#current;
    const { listen, totals, clock, log } = this.#options;
    const feed = new LogFeed({
      transport: 'udp',
      ...listen,
      token,
      parse: parseLogLine,
      resolve: whoseLine,
      totals,
      clock,
      log,
    });
    this.#current = { token, feed, over: new AbortController() };
    return this.#current;
  }
}
