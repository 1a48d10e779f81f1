// Intervals for latency quantiles that hold at all times at once, read from bucket counts.

import { rateTest } from './mixture.ts';
import { sum } from './pooled.ts';

/**
 * The bucket bounds (ms) between which the `q` quantile lies at level `alpha`; `highMs` is undefined when no bound limits it yet.
 * A bound is ruled out when the share of requests below it cannot have come from a rate of `q`.
 */
export function quantileInterval(
  counts: readonly number[],
  q: number,
  alpha: number,
  bounds: readonly number[],
): { readonly lowMs: number; readonly highMs: number | undefined } {
  const requests = sum(counts);
  const limit = Math.log(1 / alpha);
  const upTo = cumulative(counts);
  const logWealth = rateTest(q, 1000);
  const ruledOut = (bucket: number): boolean => logWealth(upTo[bucket] ?? 0, requests) >= limit;
  const middle = upTo.findIndex((count) => count >= q * requests);
  // ruled out bounds lie on the outside of the sample quantile on both sides, so that bisection finds the innermost ones
  const low = bisect(-1, middle, (bucket) => !ruledOut(bucket)) - 1;
  const high = bisect(middle - 1, bounds.length, ruledOut);
  return { lowMs: low >= 0 ? (bounds[low] ?? 0) : 0, highMs: bounds[high] };
}

function cumulative(counts: readonly number[]): number[] {
  let total = 0;
  return counts.map((count) => (total += count));
}

/** The first index above `before` and at most `last` for which `holds`; it must hold from some index on, or only at `last`. */
function bisect(before: number, last: number, holds: (index: number) => boolean): number {
  let [low, high] = [before, last];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle;
  }
  return high;
}
