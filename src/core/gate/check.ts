// Gate checks: limits on what the samples of the release on trial may show, absolute or relative to stable.

/** What a check looks at. Rates are fractions (0.05 = 5 %), latencies milliseconds. */
export type GateMetric = 'errorRate' | 'availability' | 'p50' | 'p95' | 'p99' | 'requestRate';

export type GateCheck =
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
