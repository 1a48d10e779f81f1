// What can be set on a statistical gate, its defaults, and the presets that people choose by name.

/** How much worse than stable a candidate may be at most for a stage to pass, up to a share of traffic. */
export interface StageMargins {
  /** Basis points; the row holds for stages up to this share. */
  readonly upToShare: number;
  /** Error rate: candidate − stable, as a fraction. */
  readonly errors: number;
  /** Fraction of requests slower than 1.25 × stable's p95, beyond the 5 % that are. */
  readonly p95: number;
  /** The same for p99, beyond the 1 %. */
  readonly p99: number;
}

/** How the capital of 1 is spread over the suspicions; the three add up to 1. */
export interface Capital {
  readonly errors: number;
  readonly latency: number;
  readonly guard: number;
}

/** The absolute guard: it asks whether the candidate alone fails more often than `rate`, whatever stable does. */
export interface GuardSettings {
  /** Error rate as a fraction; undefined: the greater of 0.5 % and five times stable's own rate at the time. */
  readonly rate?: number | undefined;
  /** The guard is silent while stable itself failed more often than `rate` over this many of its last requests: an outage of both. */
  readonly memory: number;
}

export interface StatisticalGate {
  /** Chance that a candidate no worse than stable is ever aborted, over the whole deployment; the gate aborts at wealth 1/alpha. */
  readonly alpha: number;
  /** Chance that a candidate worse than the margins passes a stage; the stage passes when each metric reaches 1/beta. */
  readonly beta: number;
  /** Ascending by share; the last row holds for all greater shares. */
  readonly margins: readonly [StageMargins, ...StageMargins[]];
  /** Latency of the candidate's first seconds does not count against it (cold caches). Errors always count. */
  readonly warmUpMs: number;
  /**
   * Requests that take at most this long are all as quick: with less traffic a release is a little colder than stable, and on a service
   * that answers within a millisecond the gate would see that and be right. Counts to the end of the bucket that it lies in.
   */
  readonly latencyFloorMs: number;
  /** Bad requests of the candidate below which errors alone cannot abort: one client that retries is no evidence. */
  readonly minBadEvents: number;
  readonly guard: GuardSettings;
  /** Bounds of the correction for failures that come in bursts; 1 means requests fail independently. */
  readonly burst: { readonly least: number; readonly most: number };
  readonly capital: Capital;
  /** Seconds are enough for a rate of traffic that moves: how fast the estimate of stable forgets. */
  readonly forgetMs: number;
  /** Chance that a correct split of traffic is ever called wrong, per stage. */
  readonly splitAlpha: number;
}

const defaultGate: StatisticalGate = {
  alpha: 0.01,
  beta: 0.05,
  margins: [
    { upToShare: 250, errors: 0.05, p95: 0.05, p99: 0.04 },
    { upToShare: 1500, errors: 0.02, p95: 0.04, p99: 0.03 },
    { upToShare: 3500, errors: 0.01, p95: 0.03, p99: 0.02 },
    { upToShare: 10_000, errors: 0.005, p95: 0.02, p99: 0.01 },
  ],
  warmUpMs: 60_000,
  latencyFloorMs: 10,
  minBadEvents: 3,
  guard: { memory: 200 },
  burst: { least: 1, most: 50 },
  capital: { errors: 0.5, latency: 0.3, guard: 0.2 },
  forgetMs: 600_000,
  splitAlpha: 0.001,
};

/** Presets by name, with what each is for. */
export const gatePresets = {
  /** 1 % false aborts; a stage passes on 63 to 930 requests of the candidate. */
  default: defaultGate,
  /** Sooner out and later in: no warm-up, a low floor of latency, halved margins, twice the chance of a false abort. */
  strict: {
    ...defaultGate,
    alpha: 0.02,
    beta: 0.02,
    warmUpMs: 0,
    latencyFloorMs: 1,
    margins: [
      { upToShare: 250, errors: 0.02, p95: 0.03, p99: 0.02 },
      { upToShare: 3500, errors: 0.005, p95: 0.02, p99: 0.01 },
      { upToShare: 10_000, errors: 0.0025, p95: 0.01, p99: 0.01 },
    ],
  },
  /** For services whose requests fail and stall for reasons of their own: a tenth of the false aborts, doubled margins, a longer warm-up. */
  lenient: {
    ...defaultGate,
    alpha: 0.001,
    beta: 0.1,
    warmUpMs: 120_000,
    minBadEvents: 5,
    margins: [
      { upToShare: 1500, errors: 0.05, p95: 0.06, p99: 0.05 },
      { upToShare: 10_000, errors: 0.02, p95: 0.05, p99: 0.03 },
    ],
  },
  /** For less than a request every two seconds on the candidate: wide margins, so that a stage ends within some 60 requests. */
  'low-traffic': {
    ...defaultGate,
    beta: 0.1,
    minBadEvents: 2,
    margins: [{ upToShare: 10_000, errors: 0.05, p95: 0.08, p99: 0.06 }],
  },
} as const satisfies Record<string, StatisticalGate>;

/** The margins that hold at a share of traffic (basis points). */
export function marginsAt(gate: StatisticalGate, share: number): StageMargins {
  return gate.margins.find((row) => share <= row.upToShare) ?? gate.margins.at(-1) ?? gate.margins[0];
}

/**
 * The grid of suspicions and the pace of the stakes. Chosen once by simulation; a wrong choice would cost speed, never the guarantee.
 */
export const tuning = {
  /** Suspected error rates, as steps of log-odds above stable's: 2.7 times as many errors, up to half of all requests. */
  errorSteps: [1, 2, 3.2, 4.8, 7],
  /** Suspected shifts of all latencies, in standard deviations of stable's log-latency. */
  latencyShifts: [0.2, 0.5, 1.1, 2.2],
  /** Suspected surplus of requests beyond a quantile of stable, as a step of log-odds. */
  latencyTails: [
    { quantile: 0.95, step: 1 },
    { quantile: 0.95, step: 2.3 },
    { quantile: 0.99, step: 1.2 },
    { quantile: 0.99, step: 2.5 },
  ],
  /** Suspected error rates of the absolute guard. */
  guardRates: [0.05, 0.3, 0.9],
  /** Staked at once; the rest is staked in equal parts, one a minute, for faults that come late. */
  startShare: 0.75,
  injections: 40,
  injectionMs: 60_000,
  /** Staked anew when a stage begins, for faults that come with load. */
  stageShare: 0.05,
  /** Requests of stable that a block waits for, so that it has something to compare with. */
  stablePerBlock: 3,
  /** Requests that what was known of stable before counts for at most. */
  historyWeight: 2000,
  /** Requests that the assumption "0.1 % errors" counts for. */
  priorWeight: 20,
  priorErrorRate: 0.001,
  /** Buckets of 1.25 by which the candidate may be slower before a request counts as slow. */
  toleranceBuckets: 1,
  /** Memory of the quick estimate that notices an outage of stable, ms. */
  outageMs: 15_000,
  /** The part of a stage's promotion stake that ignores the warm-up. */
  warmShare: 0.2,
} as const;
