// A verdict with its evidence in numbers: enough to see why it was given, and what would change it.

import { latencyBounds, quantile } from '../histogram.ts';
import type { Burst } from './block.ts';
import type { Counts } from './counts.ts';
import { differenceInterval } from './difference.ts';
import { comparesLatency, hasLasted, isAlone, noteFailure, type GateState } from './gate.ts';
import type { Interval } from './mixture.ts';
import { rateInterval } from './mixture.ts';
import { outlookOf, type Outlook } from './outlook.ts';
import { sum } from './pooled.ts';
import { leastOf, type PromotionLogs, promotionLogs } from './promotion.ts';
import { quantileInterval } from './quantile-interval.ts';
import { marginsAt, type StageMargins, type StatisticalGate } from './settings.ts';
import { splitOf, type SplitEvidence } from './split.ts';
import { leadingSuspicion, type Suspicion } from './leading.ts';
import { decidingWealth, guardRateOf, injectDue, totalWealth, wealthParts, type WealthParts } from './wealth.ts';

/** A value in ms with the values that are not ruled out; `high` is undefined when nothing limits it yet. */
export interface LatencyEvidence {
  readonly valueMs: number;
  readonly lowMs: number;
  readonly highMs: number | undefined;
}

export interface ReleaseEvidence {
  readonly requests: number;
  readonly errors: number;
  readonly errorRate: number;
  readonly errorRateInterval: Interval;
  /** Latency of requests that did not fail; undefined while there are none. */
  readonly p50: LatencyEvidence | undefined;
  readonly p95: LatencyEvidence | undefined;
  readonly p99: LatencyEvidence | undefined;
}

/**
 * Why the outcome is what it is. `errors`, `latency`: the candidate is worse (fail) · `complete`: no worse than the margins (pass) ·
 * `no-stable`: stable gets no traffic · `no-data`: one of the releases has had no requests · `split`: traffic is not split as
 * configured · `undecided`: more requests are needed.
 */
export type GateReason = 'errors' | 'latency' | 'complete' | 'no-stable' | 'no-data' | 'split' | 'undecided';

export interface GateEvidence {
  /** Epoch milliseconds. */
  readonly at: number;
  /** Milliseconds since the candidate's first traffic, and since the stage began. */
  readonly ageMs: number;
  readonly stageMs: number;
  /** Basis points. */
  readonly share: number;
  readonly candidate: ReleaseEvidence;
  readonly stable: ReleaseEvidence;
  /** Candidate's error rate − stable's, as a fraction, at 95 %. */
  readonly difference: Interval;
  /** `total` is all of it, `deciding` what may decide, `needed` where the candidate is aborted. */
  readonly wealth: WealthParts & { readonly total: number; readonly deciding: number; readonly needed: number };
  readonly suspicion: Suspicion;
  /** Logarithms of the evidence that the stage may pass; each must reach `needed`. */
  readonly promotion: PromotionLogs & { readonly needed: number };
  readonly margins: StageMargins;
  readonly split: SplitEvidence;
  readonly burst: Burst;
  readonly guardRate: number;
  readonly badEvents: number;
  /** Milliseconds for which the candidate's latency does not count against it yet. */
  readonly warmUpLeftMs: number;
  readonly lost: number;
  /** When the candidate failed the gate, epoch ms. */
  readonly failedAt?: number | undefined;
  readonly outlook: Outlook;
}

export interface GateVerdict {
  /** `fail`: abort · `pass`: the evidence for this stage is complete · `inconclusive`: hold the share. */
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  readonly reason: GateReason;
  readonly evidence: GateEvidence;
}

/** The level at which intervals are shown to people: 95 %. */
const shownAlpha = 0.05;

/** The judgement at `now` (epoch ms). Looking more often costs nothing: the guarantee holds at all times at once. */
export function evaluate(gate: StatisticalGate, state: GateState, now: number): GateVerdict {
  injectDue(gate, state.wealth, now - state.startedAt);
  noteFailure(gate, state, now);
  const evidence = evidenceOf(gate, state, now);
  const reason = reasonOf(state, evidence);
  const outcomes = { errors: 'fail', latency: 'fail', complete: 'pass' } as const;
  const outcome = reason in outcomes ? outcomes[reason as keyof typeof outcomes] : 'inconclusive';
  return { outcome, reason, evidence };
}

function reasonOf(state: GateState, { at, promotion, split, candidate, stable }: GateEvidence): GateReason {
  if (state.failed !== undefined) return state.failed.metric;
  if (isAlone(state)) return 'no-stable';
  if (candidate.requests === 0 || stable.requests === 0) return 'no-data';
  // What a metrics server counts may have come past the router, and for a reading the releases' times differ.
  if (split.mismatch && state.readings === undefined) return 'split';
  return leastOf(promotion) >= promotion.needed && hasLasted(state, 'inFavour', at) ? 'complete' : 'undecided';
}

function evidenceOf(gate: StatisticalGate, state: GateState, now: number): GateEvidence {
  const { wealth, totals, stage } = state;
  const promotion = {
    ...promotionLogs(wealth.promotion, comparesLatency(state)),
    needed: Math.log(1 / gate.beta),
  };
  return {
    at: now,
    ageMs: now - state.startedAt,
    stageMs: now - stage.startedAt,
    share: stage.share,
    candidate: releaseEvidence(totals.candidate, state.bounds),
    stable: releaseEvidence(totals.stable, state.bounds),
    difference: differenceInterval(state.difference, shownAlpha),
    wealth: {
      ...wealthParts(wealth),
      total: totalWealth(wealth),
      deciding: decidingWealth(gate, wealth),
      needed: 1 / gate.alpha,
    },
    suspicion: leadingSuspicion(wealth, state.bounds),
    promotion,
    margins: marginsAt(gate, stage.share),
    split: splitOf(stage.candidate, stage.stable, stage.share, gate.splitAlpha),
    burst: wealth.burst,
    guardRate: guardRateOf(gate, wealth.estimate),
    badEvents: wealth.badEvents,
    warmUpLeftMs: Math.max(0, gate.warmUpMs - (now - state.startedAt)),
    lost: state.lost,
    failedAt: state.failed?.at,
    outlook: outlookOf(gate, state, promotion, now),
  };
}

function releaseEvidence(counts: Counts, bounds: readonly number[] = latencyBounds): ReleaseEvidence {
  return {
    requests: counts.requests,
    errors: counts.errors,
    errorRate: counts.requests === 0 ? 0 : counts.errors / counts.requests,
    errorRateInterval: rateInterval(counts.errors, counts.requests, shownAlpha, 1000),
    p50: latencyEvidence(counts, 0.5, bounds),
    p95: latencyEvidence(counts, 0.95, bounds),
    p99: latencyEvidence(counts, 0.99, bounds),
  };
}

function latencyEvidence(counts: Counts, q: number, bounds: readonly number[]): LatencyEvidence | undefined {
  const count = sum(counts.latency);
  if (count === 0) return undefined;
  const last = bounds.at(-1) ?? 0;
  const valueMs = quantile({ counts: counts.latency, count, maxMs: last }, q, bounds) ?? 0;
  return { valueMs, ...quantileInterval(counts.latency, q, shownAlpha, bounds) };
}
