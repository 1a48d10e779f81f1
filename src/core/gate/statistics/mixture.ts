// The beta-binomial mixture of Howard, Ramdas, McAuliffe and Sekhon: intervals for a rate that hold at all times at once.

import { logBeta } from './special.ts';

/** The mixture's scale that is best after `variance` units of it, at level `alpha`. */
export function bestScale(variance: number, alpha: number): number {
  return variance / (2 * Math.log(1 / alpha) + Math.log(1 + 2 * Math.log(1 / alpha)));
}

/**
 * The test of "the rate is `rate`", two-sided, tuned for `tunedFor` requests: gives ln of its wealth after `bad` of `requests`.
 * `bad` may be any count that a rate of the same process gives, such as requests below a latency.
 */
export function rateTest(rate: number, tunedFor: number): (bad: number, requests: number) => number {
  const variance = rate * (1 - rate);
  const scale = Math.max(bestScale(variance * tunedFor, 0.05) - variance, 1e-3 * variance);
  const atStart = logBeta(scale / rate, scale / (1 - rate));
  // with g = rate and h = 1 - rate the general formula's g + h is 1, and its first term vanishes
  return (bad, requests) =>
    -bad * Math.log(rate) -
    (requests - bad) * Math.log1p(-rate) +
    logBeta(scale / rate + requests - bad, scale / (1 - rate) + bad) -
    atStart;
}

/** The same for one question. */
export function rateLogWealth(bad: number, requests: number, rate: number, tunedFor: number): number {
  return rateTest(rate, tunedFor)(bad, requests);
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
  const seen = Math.min(Math.max(bad / requests, edge), 1 - edge);
  return {
    low: bad === 0 || excess(edge) < 0 ? 0 : crossing(excess, edge, seen),
    high: bad === requests || excess(1 - edge) < 0 ? 1 : crossing(excess, 1 - edge, seen),
  };
}

/** Where a function that is positive at `outside` and negative at `inside` crosses zero: halving first, then false position (Illinois). */
function crossing(excess: (x: number) => number, outside: number, inside: number): number {
  let [out, into] = [outside, inside];
  let [above, below] = [excess(out), excess(into)];
  let side = 0;
  for (let step = 0; step < 60 && Math.abs(out - into) > 1e-14; step += 1) {
    const next = step < 6 ? (out + into) / 2 : (out * below - into * above) / (below - above);
    const value = excess(next);
    if (Math.abs(value) < 1e-12) return next;
    if (value > 0) {
      out = next;
      above = value;
      if (side === 1) below /= 2;
      side = 1;
    } else {
      into = next;
      below = value;
      if (side === -1) above /= 2;
      side = -1;
    }
  }
  return (out + into) / 2;
}
