// The beta-binomial mixture of Howard, Ramdas, McAuliffe and Sekhon: intervals for a rate that hold at all times at once.

import { logBeta } from './special.ts';

/** The mixture's scale that is best after `variance` units of it, at level `alpha`. */
export function bestScale(variance: number, alpha: number): number {
  return variance / (2 * Math.log(1 / alpha) + Math.log(1 + 2 * Math.log(1 / alpha)));
}

/**
 * ln of the wealth against "the rate is `rate`" after `bad` of `requests`, two-sided, tuned for `tunedFor` requests.
 * `bad` may be any count that a rate of the same process gives, such as requests below a latency.
 */
export function rateLogWealth(bad: number, requests: number, rate: number, tunedFor: number): number {
  const variance = rate * (1 - rate);
  const scale = Math.max(bestScale(variance * tunedFor, 0.05) - variance, 1e-3 * variance);
  const surplus = bad - rate * requests;
  const spread = variance * requests;
  // with g = rate and h = 1 - rate the general formula's g + h is 1, and its first term vanishes
  const upper = (spread + (1 - rate) * surplus) / (1 - rate);
  const lower = (spread - rate * surplus) / rate;
  return (
    -upper * Math.log(rate) -
    lower * Math.log(1 - rate) +
    logBeta(scale / rate + lower, scale / (1 - rate) + upper) -
    logBeta(scale / rate, scale / (1 - rate))
  );
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** The rates that `bad` of `requests` does not rule out at level `alpha`, however often one looks. */
export function rateInterval(bad: number, requests: number, alpha: number, tunedFor: number): Interval {
  if (requests === 0) return { low: 0, high: 1 };
  const limit = Math.log(1 / alpha);
  const excess = (rate: number): number => rateLogWealth(bad, requests, rate, tunedFor) - limit;
  const edge = 1e-12;
  const seen = bad / requests;
  return {
    low: bad === 0 || excess(edge) < 0 ? 0 : crossing(excess, edge, seen),
    high: bad === requests || excess(1 - edge) < 0 ? 1 : crossing(excess, 1 - edge, seen),
  };
}

/** Where a function that is positive at `outside` and negative at `inside` crosses zero. */
function crossing(excess: (x: number) => number, outside: number, inside: number): number {
  let [out, into] = [outside, inside];
  for (let step = 0; step < 44; step += 1) {
    const middle = (out + into) / 2;
    if (excess(middle) > 0) out = middle;
    else into = middle;
  }
  return (out + into) / 2;
}
