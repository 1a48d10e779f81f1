// What every metric source must do, as tests: call `metricsContract` in a test file of the driver with a way to bring each outcome about.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type MetricQuestion, type NoNumberReason, noNumberReasons } from '../core/metrics/question.ts';
import type { Metrics } from './metrics.ts';

/** A number that the source is to answer with, or the reason why it is to have none. */
export type Situation = number | NoNumberReason;

/** What a driver's test provides; made anew for each test. */
export interface MetricsHarness {
  /** Brings the world into a situation, and says what to ask there. */
  arrange(situation: Situation): Promise<{ readonly metrics: Metrics; readonly question: MetricQuestion }>;
  /** Lets time pass until the promise settles. */
  readonly until: <T>(promise: Promise<T>) => Promise<T>;
  close(): Promise<void>;
}

export interface ContractOptions {
  /** Reasons that this kind of source can never have, each with why. */
  readonly never?: Readonly<Partial<Record<NoNumberReason, string>>>;
  /** It says what instances counted; the tests of that are its own. */
  readonly counts?: true;
  /** A text that must stand nowhere. */
  readonly secret?: string | undefined;
}

export const contractValues = {
  release: 'shop@0123456789ab',
  service: 'shop',
  environment: 'production',
  windowSeconds: 60,
} as const;

/** Registers the suite. `make` is called once per test. */
export function metricsContract(
  name: string,
  make: () => Promise<MetricsHarness>,
  options: ContractOptions = {},
): void {
  const within = (title: string, run: (harness: MetricsHarness) => Promise<void>, skip?: string): void => {
    it(title, { skip: skip ?? false }, async () => {
      const harness = await make();
      try {
        await run(harness);
      } finally {
        await harness.close();
      }
    });
  };
  describe(`${name} keeps the metrics contract`, () => {
    for (const value of [0, 0.25, -3, 123_456_789, 1e-9]) {
      within(`${value} comes back as it is`, async (harness) => {
        const { metrics, question } = await harness.arrange(value);
        const outcome = await harness.until(metrics.read(question, new AbortController().signal));
        assert.deepEqual(outcome, { kind: 'number', value });
      });
    }
    for (const reason of noNumberReasons) {
      const run = async (harness: MetricsHarness): Promise<void> => {
        const { metrics, question } = await harness.arrange(reason);
        const outcome = await harness.until(metrics.read(question, new AbortController().signal));
        assert.ok(outcome.kind === 'none', JSON.stringify(outcome));
        assert.equal(outcome.reason, reason, outcome.words);
        assert.match(outcome.words, /^.{1,500}$/u, 'one line, not empty, not without end');
        if (options.secret !== undefined) assert.ok(!outcome.words.includes(options.secret), outcome.words);
      };
      within(`no number, because: ${reason}`, run, options.never?.[reason]);
    }
    within('a question that is no longer wanted rejects', async (harness) => {
      const { metrics, question } = await harness.arrange('timed-out');
      const stop = new AbortController();
      const asked = metrics.read(question, stop.signal);
      stop.abort();
      await assert.rejects(harness.until(asked), { name: 'AbortError' });
    });
    if (options.counts !== true)
      within('what instances counted is a question that it refuses', async (harness) => {
        const { metrics } = await harness.arrange(1);
        const selection = { requests: 'r', errors: 'e', unitMs: 1, instance: 'i' };
        const { service, environment, release } = contractValues;
        const question = { selection, scope: { service, environment }, candidate: release };
        const outcome = await metrics.count(question, undefined, new AbortController().signal);
        assert.equal(outcome.kind === 'none' ? outcome.reason : outcome.kind, 'refused');
      });
    within('a source that failed once is asked anew the next time', async (harness) => {
      const first = await harness.arrange('failed');
      await harness.until(first.metrics.read(first.question, new AbortController().signal));
      const second = await harness.arrange(7);
      const outcome = await harness.until(second.metrics.read(second.question, new AbortController().signal));
      assert.deepEqual(outcome, { kind: 'number', value: 7 });
    });
  });
}
