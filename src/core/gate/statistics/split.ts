// Whether the traffic is split as configured: if the candidate gets more or fewer requests than its share, comparisons cannot be trusted.

import { logGamma } from './special.ts';

/** How strongly the test believes in a split near the configured one before it sees any. */
const concentration = 100;

/**
 * ln of the wealth against "categories come with these probabilities", whatever the order and number of looks (Lindon and Malek).
 * `counts` and `probabilities` have the same length; probabilities are above 0 and add up to 1.
 */
export function multinomialLogWealth(
  counts: readonly number[],
  probabilities: readonly number[],
  weight: number = concentration,
): number {
  const total = counts.reduce((all, count) => all + count, 0);
  return counts.reduce(
    (log, count, index) => {
      const probability = probabilities[index] ?? 1;
      const belief = weight * probability;
      return log + logGamma(belief + count) - logGamma(belief) - count * Math.log(probability);
    },
    logGamma(weight) - logGamma(weight + total),
  );
}

/** A deviation of less than this part of the share is of no consequence, however sure one is of it. */
const tolerated = 0.1;

export interface SplitEvidence {
  /** The configured and the seen share of the candidate, as fractions. */
  readonly configured: number;
  readonly seen: number;
  /** ln of the wealth against the configured share. */
  readonly log: number;
  readonly mismatch: boolean;
}

/** Compares the requests that the share sent to both releases in this stage with the configured share (basis points). */
export function splitOf(candidate: number, stable: number, share: number, alpha: number): SplitEvidence {
  const configured = share / 10_000;
  const seen = candidate + stable > 0 ? candidate / (candidate + stable) : configured;
  if (configured <= 0 || configured >= 1) return { configured, seen, log: 0, mismatch: false };
  const log = multinomialLogWealth([candidate, stable], [configured, 1 - configured]);
  const far = Math.abs(seen - configured) > tolerated * Math.min(configured, 1 - configured);
  return { configured, seen, log, mismatch: far && log >= Math.log(1 / alpha) };
}
