// A metric source that exists only as data: a test says what it answers, and time is the clock's alone.

import type { CounterReading } from '../../../core/metrics/counter-reading.ts';
import type { CounterOutcome, CounterPast, CounterQuestion } from '../../../core/metrics/counters.ts';
import {
  countsNothing,
  type MetricOutcome,
  type MetricQuestion,
  noNumber,
  type NoNumber,
  numberOutcome,
} from '../../../core/metrics/question.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Metrics } from '../../../ports/metrics.ts';

/** `silent`: never an answer. */
export type MemoryMetric = number | NoNumber | 'silent';

export interface MemoryMetricsOptions {
  readonly clock: Clock;
  readonly answer: (question: MetricQuestion) => MemoryMetric;
  /** What has been counted by now; without it the source counts nothing. */
  readonly counted?: ((question: CounterQuestion) => CounterReading | NoNumber | 'silent') | undefined;
  /** What had been counted before, oldest first; without it there is no past. */
  readonly past?: ((question: CounterQuestion) => readonly CounterReading[]) | undefined;
  /** Default 5 s. */
  readonly withinMs?: number | undefined;
}

export class MemoryMetrics implements Metrics {
  readonly #options: MemoryMetricsOptions;
  /** Everything that was asked, in order. */
  readonly asked: MetricQuestion[] = [];

  constructor(options: MemoryMetricsOptions) {
    this.#options = options;
  }

  async read(question: MetricQuestion, signal: AbortSignal): Promise<MetricOutcome> {
    signal.throwIfAborted();
    this.asked.push(question);
    const given = this.#options.answer(question);
    if (typeof given === 'number') return numberOutcome(given);
    return given === 'silent' ? this.#nothing(signal) : given;
  }

  async count(question: CounterQuestion, past: CounterPast | undefined, signal: AbortSignal): Promise<CounterOutcome> {
    signal.throwIfAborted();
    const { counted, past: before } = this.#options;
    if (past !== undefined)
      return before === undefined ? countsNothing : { kind: 'counted', readings: before(question) };
    const given = counted?.(question) ?? countsNothing;
    if (given === 'silent') return this.#nothing(signal);
    return 'kind' in given ? given : { kind: 'counted', readings: [given] };
  }

  async #nothing(signal: AbortSignal): Promise<NoNumber> {
    const { clock, withinMs = 5_000 } = this.#options;
    await clock.sleep(withinMs, signal);
    signal.throwIfAborted();
    return noNumber('timed-out', `no answer within ${withinMs / 1000} s`);
  }
}
