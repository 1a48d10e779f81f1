// Reads what a metric source has counted of both releases, again and again, and tells of each reading that worked.

import type { CounterSeen } from '../core/gate/assess-counters.ts';
import type { CounterFeed } from '../core/gate/check.ts';
import type { CounterReading } from '../core/metrics/counter-reading.ts';
import type { CounterOutcome, CounterPast, CounterQuestion } from '../core/metrics/counters.ts';
import { type NoNumber, noNumber } from '../core/metrics/question.ts';
import type { MetricSource } from '../core/metrics/source.ts';
import type { Dependencies } from './dependencies.ts';
import { noteSource } from './note-source.ts';
import { failureData } from '../base/failure.ts';

export interface CounterReadingsOptions {
  readonly deps: Pick<Dependencies, 'metrics' | 'clock' | 'log'>;
  readonly feed: CounterFeed;
  readonly source: MetricSource;
  readonly question: Omit<CounterQuestion, 'selection'>;
  readonly signal: AbortSignal;
  readonly onReading: (reading: CounterReading) => void;
}

/** What stable was like is asked for so long back, in steps that hold a scrape or two each. */
const past: CounterPast = { fromMs: 1_800_000, stepMs: 60_000 };

export class CounterReadings {
  readonly #options: CounterReadingsOptions;
  #none: NoNumber | undefined;

  constructor(options: CounterReadingsOptions) {
    this.#options = options;
  }

  /** Why the newest reading did not work. */
  get seen(): Pick<CounterSeen, 'none'> {
    return { none: this.#none };
  }

  /** What stable counted in the last half hour; nothing where the source cannot say. */
  async past(): Promise<readonly CounterReading[]> {
    const { deps, feed, question, signal } = this.#options;
    const { scope, stable } = question;
    const outcome = await this.#ask({ scope, stable }, past);
    if (outcome.kind === 'counted') return outcome.readings;
    if (!signal.aborted)
      deps.log.write('warn', 'what stable counted before is not known; its failures are taken to come alone', {
        ...scope,
        source: feed.source,
        reason: outcome.reason,
        words: outcome.words,
      });
    return [];
  }

  /** Reads until the signal aborts. */
  async run(): Promise<void> {
    const { deps, feed, question, signal, onReading } = this.#options;
    while (!signal.aborted) {
      const outcome = await this.#ask(question);
      if (signal.aborted) return;
      const none = outcome.kind === 'none' ? outcome : undefined;
      noteSource(deps.log, { ...question.scope, check: 'compare', source: feed.source }, this.#none, none);
      this.#none = none;
      const [reading] = outcome.kind === 'counted' ? outcome.readings : [];
      if (reading !== undefined) onReading(reading);
      await deps.clock.sleep(feed.intervalMs, signal);
    }
  }

  async #ask(question: Omit<CounterQuestion, 'selection'>, of?: CounterPast): Promise<CounterOutcome> {
    const { deps, feed, source, signal } = this.#options;
    try {
      return await deps.metrics(source).count({ ...question, selection: feed.selection }, of, signal);
    } catch (error) {
      if (!signal.aborted)
        deps.log.write('error', 'a metric source broke its contract', {
          source: feed.source,
          error: failureData(error),
        });
      return noNumber('failed', 'it could not be read');
    }
  }
}
