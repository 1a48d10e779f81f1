// The metrics port: one question about one release to a metric source, and a bounded answer.

import type { CounterOutcome, CounterPast, CounterQuestion } from '../core/metrics/counters.ts';
import type { MetricOutcome, MetricQuestion } from '../core/metrics/question.ts';

export interface Metrics {
  /**
   * Asks once. Whatever the source does, this resolves within the source's own time limit with a number or the reason why there is
   * none; it rejects only when `signal` aborts.
   */
  read(question: MetricQuestion, signal: AbortSignal): Promise<MetricOutcome>;
  /**
   * Reads what each instance of both releases had counted, now or at times of the `past`, with the same bounds and rejections as `read`.
   * A source that counts nothing says that it was `refused`.
   */
  count(question: CounterQuestion, past: CounterPast | undefined, signal: AbortSignal): Promise<CounterOutcome>;
}
