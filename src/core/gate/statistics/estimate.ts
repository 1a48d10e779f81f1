// What is known of stable before a block is seen: its error rate and the distribution of its latency. It sizes the stakes, never the guarantee.

import type { Counts, ReadonlyCounts } from './counts.ts';
import { addCounts } from './counts.ts';
import { sum } from './pooled.ts';
import { tuning } from './settings.ts';

/** Plain data, changed in place; counts decay with time and are therefore fractions. */
export interface StableEstimate {
  readonly counts: Counts;
  /** Requests and errors of about the last 15 s. */
  readonly recent: { requests: number; errors: number };
  /** Requests and errors of about the last `guard.memory` requests. */
  readonly lately: { requests: number; errors: number };
  /** Milliseconds since the trial began, when it was last brought up to date. */
  at: number;
}

/** The estimate that the history of stable gives; it counts for 2,000 requests at most. */
export function estimateFrom(history: ReadonlyCounts): StableEstimate {
  const { historyWeight, priorWeight, priorErrorRate } = tuning;
  const weight = history.requests > 0 ? Math.min(1, historyWeight / history.requests) : 0;
  // a twentieth of the prior weight is spread over the buckets, so that none is thought impossible
  const floor = (priorWeight / history.latency.length) * 0.05;
  return {
    counts: {
      requests: history.requests * weight + priorWeight,
      errors: history.errors * weight + priorWeight * priorErrorRate,
      latency: history.latency.map((count) => count * weight + floor),
    },
    recent: { requests: 0, errors: 0 },
    lately: { requests: 0, errors: 0 },
    at: 0,
  };
}

/** Takes up what stable showed in a block that ended at `at` (ms since the trial began). */
export function learn(estimate: StableEstimate, stable: ReadonlyCounts, at: number, memory: Memory): void {
  // a clock that went back must not make the past count more
  const passedMs = Math.max(0, at - estimate.at);
  const kept = Math.exp(-passedMs / memory.forgetMs);
  const keptRecent = Math.exp(-passedMs / tuning.outageMs);
  estimate.counts.requests *= kept;
  estimate.counts.errors *= kept;
  for (let bucket = 0; bucket < estimate.counts.latency.length; bucket += 1) {
    estimate.counts.latency[bucket] = (estimate.counts.latency[bucket] ?? 0) * kept;
  }
  addCounts(estimate.counts, stable);
  estimate.recent.requests = estimate.recent.requests * keptRecent + stable.requests;
  estimate.recent.errors = estimate.recent.errors * keptRecent + stable.errors;
  estimate.at = at;
  if (memory.requests === 0) return;
  const keptLately = Math.exp(-stable.requests / memory.requests);
  estimate.lately.requests = estimate.lately.requests * keptLately + stable.requests;
  estimate.lately.errors = estimate.lately.errors * keptLately + stable.errors;
}

export interface Memory {
  /** How fast the estimate forgets, ms. */
  readonly forgetMs: number;
  /** How many requests `lately` reaches back; 0: nothing is kept. */
  readonly requests: number;
}

/** Stable's error rate, never below 1 in 100,000. */
export function errorRateOf(estimate: StableEstimate): number {
  return Math.max(estimate.counts.errors / estimate.counts.requests, 1e-5);
}

/** Stable's distribution over the latency buckets. */
export function latencyOf(estimate: StableEstimate): number[] {
  const total = sum(estimate.counts.latency);
  return estimate.counts.latency.map((count) => count / total);
}
