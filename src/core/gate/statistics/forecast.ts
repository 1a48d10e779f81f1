// What a gate will take: requests and time until a bad candidate is out and a good one may pass, at given traffic. For `sluice gate explain`.

import { formatDuration } from '../../../base/duration.ts';
import { percent } from './explain.ts';
import { twoSampleLimit } from './limits.ts';
import { promotionGrowth } from './outlook.ts';
import { marginsAt, tuning, type StageMargins, type StatisticalGate } from './settings.ts';
import { bernoulliDivergence } from './special.ts';
import { errorSuspicions, guardSuspicions, suspectedErrorRates } from './suspicions.ts';

export interface ForecastQuestion {
  readonly gate: StatisticalGate;
  /** All requests per second, of both releases. */
  readonly requestsPerSecond: number;
  /** Basis points of traffic for the candidate, 1 to 9,999. */
  readonly share: number;
  /** Stable's error rate, as a fraction. */
  readonly errorRate: number;
  /** Error rates of candidates to ask about. */
  readonly candidates: readonly number[];
}

export interface AbortForecast {
  readonly errorRate: number;
  /** Requests of the candidate, failed ones among them, and seconds; undefined when it would be too slow to count on. */
  readonly requests: number | undefined;
  readonly failed: number | undefined;
  readonly seconds: number | undefined;
  /** The least number of requests with which any test that only compares with stable can give the same guarantee. */
  readonly limit: number;
}

export interface Forecast {
  readonly candidatePerSecond: number;
  readonly aborts: readonly AbortForecast[];
  readonly pass: { readonly requests: number; readonly seconds: number; readonly waitsFor: 'errors' | 'p95' | 'p99' };
  readonly margins: StageMargins;
}

/** Requests beyond which a forecast is no help to anybody. */
const tooMany = 1e7;

export function forecast(question: ForecastQuestion): Forecast {
  const { gate, requestsPerSecond, share, errorRate, candidates } = question;
  const fraction = share / 10_000;
  const candidatePerSecond = requestsPerSecond * fraction;
  return {
    candidatePerSecond,
    aborts: candidates.map((rate) => {
      const requests = requestsToAbort(gate, rate, errorRate, fraction);
      return {
        errorRate: rate,
        requests,
        failed: requests === undefined ? undefined : Math.max(gate.minBadEvents, Math.round(requests * rate)),
        seconds: requests === undefined ? undefined : requests / candidatePerSecond,
        limit: twoSampleLimit(rate, errorRate, fraction, gate.alpha),
      };
    }),
    pass: requestsToPass(gate, errorRate, share, candidatePerSecond),
    margins: marginsAt(gate, share),
  };
}

/** Each stake grows at its expected pace; how many requests until all together reach 1/alpha. */
function requestsToAbort(gate: StatisticalGate, rate: number, stable: number, fraction: number): number | undefined {
  if (rate <= stable) return undefined;
  const staked = tuning.startShare + tuning.stageShare;
  const limit = Math.min(gate.guard.rate ?? Math.max(0.005, 5 * stable), 0.5);
  const onErrors = suspectedErrorRates(stable).map((suspected) => {
    const mixed = fraction * suspected + (1 - fraction) * stable;
    const ofCandidate = bernoulliDivergence(rate, mixed) - bernoulliDivergence(rate, suspected);
    const ofStable = bernoulliDivergence(stable, mixed);
    return {
      stake: (staked * gate.capital.errors) / errorSuspicions,
      growth: ofCandidate + ((1 - fraction) / fraction) * ofStable,
    };
  });
  const onGuard = tuning.guardRates.map((suspected) => ({
    stake: (staked * gate.capital.guard) / guardSuspicions,
    growth: bernoulliDivergence(rate, limit) - bernoulliDivergence(rate, suspected),
  }));
  const total = (requests: number): number =>
    [...onErrors, ...onGuard].reduce(
      (sum, { stake, growth }) => sum + stake * Math.exp(Math.min(growth * requests, 600)),
      0,
    );
  const needed = 1 / gate.alpha;
  if (total(tooMany) < needed) return undefined;
  let [low, high] = [0, tooMany];
  while (high - low > 0.5) {
    const middle = (low + high) / 2;
    if (total(middle) >= needed) high = middle;
    else low = middle;
  }
  return Math.ceil(Math.max(high, gate.minBadEvents / rate));
}

/** For a candidate that is just like stable; latency is assumed to be spread over buckets in the usual way. */
function requestsToPass(gate: StatisticalGate, errorRate: number, share: number, perSecond: number): Forecast['pass'] {
  const fraction = share / 10_000;
  const growth = promotionGrowth({
    errorRate,
    base: usualLatency,
    margins: marginsAt(gate, share),
    burst: { errors: gate.burst.least, latency: gate.burst.least },
    stablePerCandidate: (1 - fraction) / fraction,
  });
  const needed = Math.log(1 / gate.beta);
  const waits = (['errors', 'p95', 'p99'] as const).map((waitsFor) => ({
    waitsFor,
    requests: needed / growth[waitsFor],
  }));
  const longest = waits.reduce((a, b) => (b.requests > a.requests ? b : a));
  const requests = Math.ceil(longest.requests);
  return { waitsFor: longest.waitsFor, requests, seconds: requests / perSecond };
}

/** A lognormal latency with sigma 0.6 over buckets of 1.25, as fractions. */
const usualLatency: readonly number[] = normalise(
  Array.from({ length: 25 }, (_, bucket) => Math.exp(-0.5 * (((bucket - 8) * Math.log(1.25)) / 0.6) ** 2)),
);

function normalise(weights: readonly number[]): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}

/** The forecast in words, a line each. */
export function describeForecast({ gate, share, errorRate }: ForecastQuestion, answer: Forecast): string {
  const { candidatePerSecond, aborts, pass, margins } = answer;
  const lines = aborts.map((abort) =>
    abort.requests === undefined || abort.seconds === undefined
      ? `a candidate failing ${percent(abort.errorRate)} of its requests would not be told from stable in reasonable time`
      : `a candidate failing ${percent(abort.errorRate)} of its requests is out after about ${abort.requests} of them (${abort.failed} failed), ${duration(abort.seconds)}; comparing with stable alone takes any test at least ${Math.ceil(abort.limit)}`,
  );
  return [
    `at ${percent(share / 10_000)} of traffic the candidate gets ${Number(candidatePerSecond.toPrecision(3))} requests a second; stable fails ${percent(errorRate)}`,
    ...lines,
    `a candidate like stable may pass after about ${pass.requests} requests, ${duration(pass.seconds)} (waits for ${pass.waitsFor}; not worse by ${percent(margins.errors)} of errors)`,
    `a candidate no worse than stable is aborted at most once in ${Math.round(1 / gate.alpha)} deployments; one that is worse by the margins passes a stage at most once in ${Math.round(1 / gate.beta)}`,
  ].join('\n');
}

const duration = (seconds: number): string => formatDuration(Math.max(100, Math.round(seconds * 10) * 100));
