// Gate checks: a statistical comparison with stable, limits on what the samples of the release on trial may show, absolute or relative to stable, and on answers of metric sources.

import type { CounterSelection } from '../metrics/counters.ts';
import type { StatisticalGate } from './statistics/settings.ts';

/** What a check looks at. Rates are fractions (0.05 = 5 %), latencies milliseconds. */
export type GateMetric = 'errorRate' | 'availability' | 'p50' | 'p95' | 'p99' | 'requestRate';

export type SampleCheck =
  | {
      /** The candidate alone, against a fixed number. */
      readonly kind: 'absolute';
      readonly metric: GateMetric;
      readonly bound: 'max' | 'min';
      readonly limit: number;
      readonly minSamples: number;
    }
  | {
      /** The candidate against stable over the same seconds. */
      readonly kind: 'relative';
      readonly metric: Exclude<GateMetric, 'requestRate'>;
      /** `points`: candidate − stable may be at most `limit` (fraction, or ms); `factor`: candidate may be at most stable × (1 + limit). */
      readonly unit: 'points' | 'factor';
      readonly limit: number;
      readonly minSamples: number;
    };

/** A question to a metric source, and the range in which its answer must lie; see `assess-query.ts` for how it is judged. */
export interface QueryCheck {
  readonly kind: 'query';
  /** What people call it; unique in its environment. */
  readonly name: string;
  /** Name of a source in the specification's `metrics`. */
  readonly source: string;
  readonly query: string;
  /** See `MetricQuestion.measuredAt`. */
  readonly measuredAt?: string | undefined;
  /** Asks how many samples the number stands on. */
  readonly samples?: string | undefined;
  /** Fewer samples than this prove nothing; 0 without `samples`. */
  readonly minSamples: number;
  readonly max?: number | undefined;
  readonly min?: number | undefined;
  /** At most the same question's answer for stable, times 1 + this. */
  readonly worseThanStable?: number | undefined;
  /** So many answers in a row must agree, at least 1. */
  readonly points: number;
  /** What a source that works and has no data means: nothing, or that the release is bad. */
  readonly noData: 'hold' | 'fail';
  /** What a failure counts, 0 to 1; see `judge`. */
  readonly weight: number;
  /** Pause between two questions, and the time that `{{window}}` stands for, milliseconds. */
  readonly intervalMs: number;
  readonly windowMs: number;
}

/** Whether the candidate is worse than stable, by the statistics of both, over all stages of a deployment. */
export interface StatisticalCheck {
  readonly kind: 'statistical';
  /** What people call the settings: a preset, or what they differ from. */
  readonly preset: string;
  readonly gate: StatisticalGate;
  /** Who counts the requests; undefined: the router. */
  readonly counters?: CounterFeed | undefined;
}

/** A metric source whose counters feed the statistics in the place of the router's requests. */
export interface CounterFeed {
  /** Name of a source in the specification's `metrics`. */
  readonly source: string;
  readonly selection: CounterSelection;
  /** Pause between two readings, milliseconds. */
  readonly intervalMs: number;
}

export type GateCheck = StatisticalCheck | SampleCheck | QueryCheck;

/** Whether a check can be judged only while stable has traffic too; the statistical one then goes by what stable was like. */
export function needsStable(check: GateCheck): boolean {
  return check.kind === 'query' ? check.worseThanStable !== undefined : check.kind === 'relative';
}

/** Whether a check is judged by the router's own feed of requests. */
export function needsFeed(check: GateCheck): boolean {
  return check.kind === 'statistical' ? check.counters === undefined : check.kind !== 'query';
}
