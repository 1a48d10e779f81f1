// What the gate's speed is measured against: Wald's test that knows both rates, and the limit for a test that learns stable's beside it.

import { createRandom, type Random } from './random.ts';
import { latencyProbabilities } from './traffic.ts';

export interface SprtResult {
  readonly requests: number;
  readonly bad: number;
}

/** Mean requests and bad requests until Wald's one-sided test aborts, overshoot included. */
export function simulateWald(candidate: number, stable: number, alpha: number, runs: number, seed: number): SprtResult {
  const random = createRandom(seed);
  const total = { requests: 0, bad: 0 };
  const gain = Math.log(candidate / stable);
  const loss = candidate < 1 ? Math.log((1 - candidate) / (1 - stable)) : -Infinity;
  for (let run = 0; run < runs; run += 1) runWald(random, { candidate, gain, loss, limit: Math.log(1 / alpha) }, total);
  return { requests: total.requests / runs, bad: total.bad / runs };
}

interface WaldTest {
  readonly candidate: number;
  readonly gain: number;
  readonly loss: number;
  readonly limit: number;
}

function runWald(random: Random, test: WaldTest, total: { requests: number; bad: number }): void {
  for (let log = 0; log < test.limit;) {
    total.requests += 1;
    const failed = random() < test.candidate;
    if (failed) total.bad += 1;
    log += failed ? test.gain : test.loss;
  }
}

/** Requests of the candidate that any test needs when both latency distributions are known but stable's drifts, at a share. */
export function latencyLimit(slower: number, share: number, alpha: number): number {
  const candidate = latencyProbabilities({ errorRate: 0, slower });
  const stable = latencyProbabilities({ errorRate: 0 });
  const perRequest = candidate.reduce((total, c, bucket) => {
    const s = stable[bucket] ?? 0;
    const mixed = share * c + (1 - share) * s;
    const part = (p: number): number => (p > 0 ? p * Math.log(p / mixed) : 0);
    return total + share * part(c) + (1 - share) * part(s);
  }, 0);
  return (Math.log(1 / alpha) / perRequest) * share;
}
