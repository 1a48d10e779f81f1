// The wealth of all suspicions together: it grows when the candidate behaves worse than stable, and cannot grow for long when it does not.

import type { Block, Burst } from './block.ts';
import { clearBlock, emptyBlock, isComplete } from './block.ts';
import type { ReadonlyCounts } from './counts.ts';
import { addCounts } from './counts.ts';
import type { StableEstimate } from './estimate.ts';
import { errorRateOf, estimateFrom, latencyOf, learn } from './estimate.ts';
import { pooledLogFactor, pooledLogFactorOfErrors, sum } from './pooled.ts';
import type { PromotionEvidence } from './promotion.ts';
import { addPromotionEvidence, noPromotionEvidence } from './promotion.ts';
import type { StageMargins, StatisticalGate } from './settings.ts';
import { tuning } from './settings.ts';
import {
  errorSuspicions,
  guardSuspicions,
  kindOf,
  latencySuspicions,
  suspectedErrorRates,
  suspectedLatencies,
  suspicionCount,
} from './suspicions.ts';

/** Plain data, changed in place by its owner; times are milliseconds since the trial began. */
export interface WealthState {
  readonly estimate: StableEstimate;
  readonly burst: Burst;
  /** Capital staked on each suspicion. */
  readonly stakes: number[];
  /** Capital not staked yet. */
  cash: number;
  /** Injections made so far. */
  injections: number;
  readonly block: Block;
  /** Bad requests of the candidate so far. */
  badEvents: number;
  readonly promotion: PromotionEvidence;
  /** What the guard says of the block before, logarithms: it counts when the next one shows no outage of stable; see `BlockContext.late`. */
  awaiting?: readonly number[] | undefined;
}

/** What the rest of the gate knows of the moment in which a block is judged. */
export interface BlockContext {
  /** Milliseconds since the trial began. */
  readonly at: number;
  /** The same, of the beginning of the block; undefined: it is short. */
  readonly from?: number | undefined;
  /** What hit both releases at once may be in stable's counts one block later. */
  readonly late?: boolean | undefined;
  readonly margins: StageMargins;
  /** Stable gets no traffic: only the guard can judge. */
  readonly alone: boolean;
}

export function startWealth(gate: StatisticalGate, history: ReadonlyCounts, burst: Burst): WealthState {
  return {
    estimate: estimateFrom(history),
    burst,
    stakes: Array.from({ length: suspicionCount }, (_, index) => tuning.startShare * prior(gate, index)),
    cash: 1 - tuning.startShare,
    injections: 0,
    block: emptyBlock(history.latency.length),
    badEvents: 0,
    promotion: noPromotionEvidence(),
  };
}

/** The part of the whole capital that a suspicion is given. */
function prior(gate: StatisticalGate, suspicion: number): number {
  const counts = { errors: errorSuspicions, latency: latencySuspicions, guard: guardSuspicions };
  const kind = kindOf(suspicion);
  return gate.capital[kind] / counts[kind];
}

/** Stakes the injections that are due at `at`: one a minute as long as there is cash. */
export function injectDue(gate: StatisticalGate, state: WealthState, at: number): void {
  while (state.injections < tuning.injections && at >= (state.injections + 1) * tuning.injectionMs) {
    state.injections += 1;
    inject(gate, state, (1 - tuning.startShare) / tuning.injections);
  }
}

/** Stakes `amount` of the cash, or what is left of it. */
export function inject(gate: StatisticalGate, state: WealthState, amount: number): void {
  const available = Math.min(amount, Math.max(0, state.cash));
  state.cash -= available;
  for (let index = 0; index < suspicionCount; index += 1) {
    state.stakes[index] = (state.stakes[index] ?? 0) + available * prior(gate, index);
  }
}

/** Adds counts to the open block and judges it when it is complete: at least 1 request of the candidate and 3 of stable. */
export function addBlock(
  gate: StatisticalGate,
  state: WealthState,
  counts: { readonly candidate: ReadonlyCounts; readonly stable: ReadonlyCounts },
  context: BlockContext,
): void {
  addCounts(state.block.candidate, counts.candidate);
  addCounts(state.block.stable, counts.stable);
  state.badEvents += counts.candidate.errors;
  injectDue(gate, state, context.at);
  if (isComplete(state.block, context.alone)) closeBlock(gate, state, context);
}

/** Judges the open block, then learns from it what stable is like, and opens the next one. */
export function closeBlock(gate: StatisticalGate, state: WealthState, context: BlockContext): void {
  const { block, estimate, stakes, burst } = state;
  const warming = (context.from ?? context.at) <= gate.warmUpMs;
  const errorRate = errorRateOf(estimate);
  const base = latencyOf(estimate);
  const factors = [
    ...suspectedErrorRates(errorRate).map(
      (rate) => pooledLogFactorOfErrors(block.candidate, block.stable, rate, errorRate) / burst.errors,
    ),
    ...latencyFactors(block, base, warming).map((factor) => factor / burst.latency),
    ...guardFactors(gate, state, context).map((factor) => factor / burst.errors),
  ];
  for (const [index, factor] of factors.entries()) stakes[index] = grown(stakes[index] ?? 0, factor);
  addPromotionEvidence(state.promotion, block, {
    errorRate,
    base,
    recent: estimate.recent,
    burst,
    warming,
    margins: context.margins,
  });
  learn(estimate, block.stable, context.at, { forgetMs: gate.forgetMs, requests: gate.guard.memory });
  clearBlock(block, context.at);
}

/** Beyond any decision a stake only needs to stay a finite number, or it could not be written down. */
const greatestStake = 1e200;

const grown = (stake: number, logFactor: number): number =>
  Math.min(stake * Math.exp(Math.min(logFactor, 600)), greatestStake);

function latencyFactors(block: Block, base: readonly number[], warming: boolean): number[] {
  if (warming || sum(block.candidate.latency) === 0) return Array.from({ length: latencySuspicions }, () => 0);
  return suspectedLatencies(base).map((suspected) =>
    pooledLogFactor(block.candidate.latency, block.stable.latency, suspected, base),
  );
}

/** The error rate that the guard holds against the candidate now. */
export function guardRateOf(gate: StatisticalGate, estimate: StableEstimate): number {
  return Math.min(gate.guard.rate ?? Math.max(0.005, 5 * errorRateOf(estimate)), 0.5);
}

/** The candidate alone against the guard's rate; while stable fails that often too, the guard can only lose. */
function guardFactors(gate: StatisticalGate, state: WealthState, { late, alone }: BlockContext): readonly number[] {
  const { block, estimate } = state;
  const limit = guardRateOf(gate, estimate);
  const errors = block.candidate.errors + block.apart.errors;
  const worked = block.candidate.requests + block.apart.requests - errors;
  const stableErrors = block.stable.errors + estimate.lately.errors;
  const stableRequests = block.stable.requests + estimate.lately.requests;
  const outage = block.stable.errors > limit * block.stable.requests || stableErrors > limit * stableRequests;
  const unlessOutage = (factor: number): number => (outage ? Math.min(factor, 0) : factor);
  const factors = tuning.guardRates.map((suspected) => {
    const rate = Math.max(suspected, Math.min(1.5 * limit, 0.95));
    return unlessOutage(errors * Math.log(rate / limit) + worked * Math.log((1 - rate) / (1 - limit)));
  });
  const due = (state.awaiting ?? factors.map(() => 0)).map(unlessOutage);
  const waits = late === true && !alone;
  if (state.awaiting !== undefined || waits) state.awaiting = waits ? factors : undefined;
  return waits ? due : factors.map((factor, index) => factor + (due[index] ?? 0));
}

/** The wealth by what earned it. */
export interface WealthParts {
  readonly errors: number;
  readonly latency: number;
  readonly guard: number;
  readonly cash: number;
}

export function wealthParts(state: WealthState): WealthParts {
  const parts = { errors: 0, latency: 0, guard: 0, cash: state.cash };
  for (const [index, stake] of state.stakes.entries()) parts[kindOf(index)] += stake;
  return parts;
}

/** All of the wealth. */
export function totalWealth(state: WealthState): number {
  const parts = wealthParts(state);
  return parts.cash + parts.errors + parts.latency + parts.guard;
}

/** The wealth that may decide: errors count for no more than their capital until there were enough bad requests. */
export function decidingWealth(gate: StatisticalGate, state: WealthState): number {
  const parts = wealthParts(state);
  const ofErrors = parts.errors + parts.guard;
  const most = state.badEvents >= gate.minBadEvents ? Infinity : gate.capital.errors + gate.capital.guard;
  return parts.cash + parts.latency + Math.min(ofErrors, most);
}
