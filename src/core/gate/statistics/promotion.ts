// Evidence that a stage may pass: the test reversed, betting against "the candidate is worse than stable by the margin or more".

import type { Block, Burst } from './block.ts';
import { bestStake, coupledLogFactor } from './coupled.ts';
import { logAddExp } from './special.ts';
import { sum } from './pooled.ts';
import type { StageMargins } from './settings.ts';
import { tuning } from './settings.ts';
import { bucketAbove, massBelow } from './suspicions.ts';

/** Logarithms of what the bets of this stage are worth; plain data, changed in place. */
export interface PromotionEvidence {
  errors: number;
  p95: number;
  p99: number;
  /** The latency bets with the warm-up left out. */
  readonly warm: { p95: number; p99: number };
}

export function noPromotionEvidence(): PromotionEvidence {
  return { errors: 0, p95: 0, p99: 0, warm: { p95: 0, p99: 0 } };
}

/** A stage begins anew: faults that come with load must not hide behind what a smaller share showed. */
export function clearPromotionEvidence(evidence: PromotionEvidence): void {
  Object.assign(evidence, { errors: 0, p95: 0, p99: 0, warm: { p95: 0, p99: 0 } });
}

export interface PromotionContext {
  readonly errorRate: number;
  readonly base: readonly number[];
  readonly recent: { readonly requests: number; readonly errors: number };
  readonly burst: Burst;
  readonly warming: boolean;
  readonly margins: StageMargins;
}

export function addPromotionEvidence(evidence: PromotionEvidence, block: Block, context: PromotionContext): void {
  const { burst, margins, warming } = context;
  evidence.errors += errorFactor(block, context) / burst.errors;
  const below = massBelow(context.base);
  const p95 = slowFactor(block, context.base, bucketAbove(below, 0.95), margins.p95) / burst.latency;
  const p99 = slowFactor(block, context.base, bucketAbove(below, 0.99), margins.p99) / burst.latency;
  evidence.p95 += p95;
  evidence.p99 += p99;
  if (warming) return;
  evidence.warm.p95 += p95;
  evidence.warm.p99 += p99;
}

function errorFactor(block: Block, { errorRate, recent, margins }: PromotionContext): number {
  const margin = margins.errors;
  // when stable itself is in an outage, bet around its error rate of now, or one outage would end all hope of passing
  const outage = recent.errors >= 5 && recent.errors > 5 * errorRate * recent.requests;
  const guess = outage ? Math.min(recent.errors / recent.requests, 0.9 - margin) : errorRate;
  const centre = guess + margin;
  return coupledLogFactor(
    { requests: block.candidate.requests, bad: block.candidate.errors },
    { requests: block.stable.requests, bad: block.stable.errors },
    { stake: -margin / (centre * (1 - centre)), guess, margin },
  );
}

/** Requests of the candidate that were slower than 1.25 × the edge of `from`, against requests of stable slower than the edge itself. */
function slowFactor(block: Block, base: readonly number[], from: number, margin: number): number {
  const inflated = Math.min(from + tuning.toleranceBuckets, base.length - 1);
  const guess = Math.max(sum(base, from), 1e-6);
  const expected = Math.max(sum(base, inflated), 1e-6);
  const centre = Math.min(guess + margin, 0.999);
  return coupledLogFactor(
    { requests: sum(block.candidate.latency), bad: sum(block.candidate.latency, inflated) },
    { requests: sum(block.stable.latency), bad: sum(block.stable.latency, from) },
    { stake: bestStake(expected, centre), guess, margin },
  );
}

export interface PromotionLogs {
  readonly errors: number;
  /** Undefined where latencies are not compared. */
  readonly p95?: number | undefined;
  readonly p99?: number | undefined;
}

/** The logarithms that must each reach ln(1/beta). The latency bets are split between all of the stage and the stage after the warm-up. */
export function promotionLogs(evidence: PromotionEvidence, latency = true): PromotionLogs {
  if (!latency) return { errors: evidence.errors };
  return {
    errors: evidence.errors,
    p95: split(evidence.p95, evidence.warm.p95),
    p99: split(evidence.p99, evidence.warm.p99),
  };
}

/** The one that is furthest from being enough. */
export function leastOf({ errors, p95 = errors, p99 = errors }: PromotionLogs): number {
  return Math.min(errors, p95, p99);
}

const split = (whole: number, warm: number): number =>
  logAddExp(whole + Math.log(1 - tuning.warmShare), warm + Math.log(tuning.warmShare));
