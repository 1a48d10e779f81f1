// The suspicion that has earned the most so far, in terms that a person can check.

import { latencyBounds } from '../histogram.ts';
import { errorRateOf, latencyOf } from './estimate.ts';
import { tuning } from './settings.ts';
import { errorSuspicions, suspectedErrorRates } from './suspicions.ts';
import type { WealthState } from './wealth.ts';

/**
 * What the candidate is suspected of · `errors`: it fails `errorRate` of its requests where stable fails `stableErrorRate` ·
 * `guard`: it fails `errorRate`, whatever stable does · `slower`: all its latencies are `factor` times stable's · `tail`: `fraction` of its
 * requests are slower than stable's `quantile`, where `1 − quantile` would be normal.
 */
export type Suspicion = { readonly wealth: number } & (
  | { readonly kind: 'errors'; readonly errorRate: number; readonly stableErrorRate: number }
  | { readonly kind: 'guard'; readonly errorRate: number }
  | { readonly kind: 'slower'; readonly factor: number }
  | { readonly kind: 'tail'; readonly quantile: number; readonly fraction: number }
);

export function leadingSuspicion(state: WealthState, bounds: readonly number[] = latencyBounds): Suspicion {
  const wealth = Math.max(...state.stakes);
  return { wealth, ...describe(state, state.stakes.indexOf(wealth), bounds) };
}

type Description = Suspicion extends infer S ? (S extends unknown ? Omit<S, 'wealth'> : never) : never;

function describe(state: WealthState, index: number, bounds: readonly number[]): Description {
  const stableErrorRate = errorRateOf(state.estimate);
  const errorRate = suspectedErrorRates(stableErrorRate)[index];
  if (errorRate !== undefined) return { kind: 'errors', errorRate, stableErrorRate };
  const shift = tuning.latencyShifts[index - errorSuspicions];
  if (shift !== undefined)
    return { kind: 'slower', factor: Math.exp(shift * logSpread(latencyOf(state.estimate), bounds)) };
  const tail = tuning.latencyTails[index - errorSuspicions - tuning.latencyShifts.length];
  if (tail === undefined) {
    const guard = index - errorSuspicions - tuning.latencyShifts.length - tuning.latencyTails.length;
    return { kind: 'guard', errorRate: tuning.guardRates[guard] ?? 1 };
  }
  const beyond = (1 - tail.quantile) * Math.exp(tail.step);
  return { kind: 'tail', quantile: tail.quantile, fraction: beyond / (beyond + tail.quantile) };
}

/** The standard deviation of the logarithm of stable's latency. */
function logSpread(base: readonly number[], bounds: readonly number[]): number {
  const logs = base.map((_, bucket) => Math.log(bounds[Math.min(bucket, bounds.length - 1)] ?? 1));
  const mean = base.reduce((total, mass, bucket) => total + mass * (logs[bucket] ?? 0), 0);
  return Math.sqrt(base.reduce((total, mass, bucket) => total + mass * ((logs[bucket] ?? 0) - mean) ** 2, 0));
}
