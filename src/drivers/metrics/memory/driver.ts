// A metric source that exists only as data: a test says what it answers, and time is the clock's alone.

import {
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
    const { clock, answer, withinMs = 5_000 } = this.#options;
    const given = answer(question);
    if (typeof given === 'number') return numberOutcome(given);
    if (given !== 'silent') return given;
    await clock.sleep(withinMs, signal);
    signal.throwIfAborted();
    return noNumber('timed-out', `no answer within ${withinMs / 1000} s`);
  }
}
