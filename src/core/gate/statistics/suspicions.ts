// The suspicions that the gate bets on: candidates that fail or stall more than stable does by a certain amount.

import { normalQuantile } from './special.ts';
import { expit, logit } from './special.ts';
import { sum, tilted } from './pooled.ts';
import { tuning } from './settings.ts';

export const errorSuspicions = tuning.errorSteps.length;
export const latencySuspicions = tuning.latencyShifts.length + tuning.latencyTails.length;
export const guardSuspicions = tuning.guardRates.length;
/** Suspicions stand in this order everywhere: errors, latency, guard. */
export const suspicionCount = errorSuspicions + latencySuspicions + guardSuspicions;

export type SuspicionKind = 'errors' | 'latency' | 'guard';

export function kindOf(suspicion: number): SuspicionKind {
  if (suspicion < errorSuspicions) return 'errors';
  return suspicion < errorSuspicions + latencySuspicions ? 'latency' : 'guard';
}

/** The error rates that a candidate is suspected of, given stable's. */
export function suspectedErrorRates(errorRate: number): number[] {
  const odds = logit(errorRate);
  return tuning.errorSteps.map((step) => expit(odds + step));
}

/** The latency distributions that a candidate is suspected of, given stable's over ascending buckets. */
export function suspectedLatencies(base: readonly number[]): number[][] {
  const scores = normalScores(base);
  const below = massBelow(base);
  const shifts = tuning.latencyShifts.map((strength) => tilted(base, scores, strength));
  const tails = tuning.latencyTails.map(({ quantile, step }) => raised(base, bucketAbove(below, quantile), step));
  return [...shifts, ...tails];
}

/** The normal quantile of the middle of each bucket. */
function normalScores(base: readonly number[]): number[] {
  let below = 0;
  return base.map((mass) => {
    const middle = Math.min(Math.max(below + mass / 2, 1e-4), 1 - 1e-4);
    below += mass;
    return normalQuantile(middle);
  });
}

/** The mass strictly below each bucket. */
export function massBelow(base: readonly number[]): number[] {
  let below = 0;
  return base.map((mass) => {
    const before = below;
    below += mass;
    return before;
  });
}

/** The first bucket that lies wholly above a quantile; the last one when there is none. */
export function bucketAbove(below: readonly number[], quantile: number): number {
  const bucket = below.findIndex((mass) => mass >= quantile);
  return bucket === -1 ? below.length - 1 : bucket;
}

/** The distribution with the log-odds of everything from bucket `from` on raised by `step`. */
function raised(base: readonly number[], from: number, step: number): number[] {
  const factor = Math.exp(step);
  const tail = sum(base, from);
  const total = sum(base) - tail + tail * factor;
  return base.map((mass, bucket) => (bucket >= from ? (mass * factor) / total : mass / total));
}
