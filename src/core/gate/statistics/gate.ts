// The statistical gate as the engine uses it: start it with stable's history, feed it requests, ask it whether the stage may pass.

import { bucketOf, latencyBounds } from '../histogram.ts';
import { isError, type Sample } from '../sample.ts';
import type { ReleaseId } from '../../release.ts';
import { clearBlock, isComplete } from './block.ts';
import { addCounts, addRequest, noCounts, type Counts, type ReadonlyCounts } from './counts.ts';
import { addToDifference, noDifference, type DifferenceState } from './difference.ts';
import { errorRateOf } from './estimate.ts';
import { burstOf, createHistory, observeStableRequest, type StableHistory } from './history.ts';
import { clearPromotionEvidence, leastOf, promotionLogs } from './promotion.ts';
import { marginsAt, tuning, type StatisticalGate } from './settings.ts';
import { closeBlock, decidingWealth, inject, injectDue, startWealth, wealthParts, type WealthState } from './wealth.ts';

/** Everything a gate knows, as plain data that is changed in place: at most 4 KB as JSON, and it goes on exactly from there. */
export interface GateState {
  readonly version: 1;
  readonly candidate: ReleaseId;
  readonly stable: ReleaseId;
  /** Upper bounds of the latency buckets in ms, when they are not the standard ones (a metrics server's own); none: latency is not compared. */
  readonly bounds?: readonly number[] | undefined;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly wealth: WealthState;
  readonly difference: DifferenceState;
  /** All requests of both releases since the start. */
  readonly totals: { readonly candidate: Counts; readonly stable: Counts };
  readonly stage: GateStage;
  /** Only where a metrics server counts. */
  readonly readings?: Readings | undefined;
  /** The first time that the evidence against the candidate was complete; it stays. */
  failed?: { readonly at: number; readonly metric: 'errors' | 'latency' } | undefined;
  /** Requests that the feed lost because nobody read fast enough. */
  lost: number;
  /** Epoch milliseconds of the newest request judged or waiting; a feed read again goes on after it. */
  lastAt: number;
}

/** Epoch milliseconds. */
interface Readings {
  /** Until when all of stable has been counted. */
  stableAt: number;
  /** Until when the candidate had been counted when the evidence became complete that has been complete since. */
  against?: number | undefined;
  inFavour?: number | undefined;
}

export interface GateStage {
  /** Basis points of traffic for the candidate. */
  share: number;
  /** Epoch milliseconds. */
  startedAt: number;
  /** Requests in this stage that chance sent to the candidate and to stable. */
  candidate: number;
  stable: number;
}

export interface GateStart {
  readonly candidate: ReleaseId;
  readonly stable: ReleaseId;
  /** Epoch milliseconds of the candidate's first traffic. */
  readonly at: number;
  readonly bounds?: readonly number[] | undefined;
  /** Its requests are counted by a metrics server. */
  readonly counted?: boolean | undefined;
}

/** A gate at the moment the candidate gets its first traffic. Without history of stable it starts with a guess and learns. */
export function startGate(gate: StatisticalGate, start: GateStart, history?: StableHistory): GateState {
  const buckets = (start.bounds ?? latencyBounds).length + 1;
  const known = history ?? createHistory(buckets);
  return {
    version: 1,
    candidate: start.candidate,
    stable: start.stable,
    bounds: start.bounds,
    startedAt: start.at,
    wealth: startWealth(gate, floored(known.counts, floorOf(gate, start)), burstOf(known, gate.burst)),
    difference: noDifference(),
    totals: { candidate: noCounts(buckets), stable: noCounts(buckets) },
    stage: { share: 0, startedAt: start.at, candidate: 0, stable: 0 },
    ...(start.counted === true ? { readings: { stableAt: start.at } } : {}),
    lost: 0,
    lastAt: start.at,
  };
}

/** Notes one request of stable from before the candidate has traffic. */
export function addHistorySample(history: StableHistory, sample: Sample): void {
  observeStableRequest(history, sample.at, isError(sample), bucketOf(sample.latencyMs));
}

/** A stage begins: promotion must be earned anew, and some capital is staked anew on faults that come with load. */
export function stageStarted(
  gate: StatisticalGate,
  state: GateState,
  stage: { readonly at: number; readonly share: number },
): void {
  if (state.wealth.block.candidate.requests > 0) judgeBlock(gate, state, stage.at);
  clearBlock(state.wealth.block, stage.at - state.startedAt);
  clearPromotionEvidence(state.wealth.promotion);
  inject(gate, state.wealth, tuning.stageShare);
  Object.assign(state.stage, { share: stage.share, startedAt: stage.at, candidate: 0, stable: 0 });
}

/** How long a block collects requests at most before it is judged, when traffic is heavy. */
const blockMs = 10;

/**
 * Takes up one request. Blocks are closed by the number and the times of requests, never by how they ended; in light traffic each
 * request of the candidate closes one.
 */
export function addSample(gate: StatisticalGate, state: GateState, sample: Sample): void {
  const release = releaseOf(state, sample);
  if (release === undefined) return;
  const { block } = state.wealth;
  const failed = isError(sample);
  state.lastAt = Math.max(state.lastAt, sample.at);
  if (sample.via === 'rule' || sample.via === 'preview') {
    if (release === 'stable') return;
    block.apart.requests += 1;
    if (failed) block.apart.errors += 1;
  } else {
    const bucket = bucketOf(sample.latencyMs, state.bounds ?? latencyBounds);
    addRequest(block[release], failed, Math.max(bucket, floorOf(gate, state)));
    addRequest(state.totals[release], failed, bucket);
    if (sample.via === 'share') state.stage[release] += 1;
  }
  if (failed && release === 'candidate') state.wealth.badEvents += 1;
  const at = sample.at - state.startedAt;
  // a clock that went back must not keep the block open until it has caught up
  if (Math.abs(at - block.openedAt) >= blockMs && isComplete(block, isAlone(state))) judgeBlock(gate, state, sample.at);
}

function releaseOf(state: GateState, sample: Sample): 'candidate' | 'stable' | undefined {
  if (sample.release === state.candidate) return 'candidate';
  return sample.release === state.stable ? 'stable' : undefined;
}

/** What was counted between two readings of a metrics server. */
export interface CountedRequests {
  readonly candidate: ReadonlyCounts;
  readonly stable: ReadonlyCounts;
  /** Epoch milliseconds from which it was counted; undefined: all of it is of this stage. */
  readonly since?: number | undefined;
  /** Until when all of stable was counted, and until when the candidate was, where they differ. */
  readonly until?: { readonly candidate: number; readonly stable: number } | undefined;
}

/**
 * Takes up the counts between two readings; `at` is the time of the later one. Counts that reach back behind the beginning of the stage
 * may speak against the candidate, and are no evidence that this stage may pass.
 */
export function addReading(gate: StatisticalGate, state: GateState, at: number, counts: CountedRequests): void {
  const { block, promotion } = state.wealth;
  for (const release of ['candidate', 'stable'] as const) {
    addCounts(block[release], floored(counts[release], floorOf(gate, state)));
    addCounts(state.totals[release], counts[release]);
    state.stage[release] += counts[release].requests;
  }
  state.wealth.badEvents += counts.candidate.errors;
  state.lastAt = Math.max(state.lastAt, at);
  const reachesBack = (counts.since ?? at) < state.stage.startedAt;
  if (state.readings !== undefined) state.readings.stableAt = counts.until?.stable ?? at;
  if (isComplete(block, isAlone(state)) || (reachesBack && block.candidate.requests > 0)) {
    judgeBlock(gate, state, at, counts.since);
    if (state.readings !== undefined) noteReading(gate, state, state.readings, counts.until?.candidate ?? at);
  }
  noteFailure(gate, state, at);
  if (!reachesBack) return;
  clearBlock(block, Math.max(0, at - state.startedAt));
  clearPromotionEvidence(promotion);
  Object.assign(state.stage, { candidate: 0, stable: 0 });
}

/** The bucket of the quickest requests that are told apart from quicker ones. */
function floorOf({ latencyFloorMs }: StatisticalGate, { bounds }: Pick<GateState, 'bounds'>): number {
  return bucketOf(latencyFloorMs, bounds ?? latencyBounds);
}

/** The same counts with everything below a bucket in that bucket. */
function floored({ requests, errors, latency }: ReadonlyCounts, floor: number): ReadonlyCounts {
  if (floor === 0 || latency.length <= floor) return { requests, errors, latency };
  const below = latency.slice(0, floor + 1).reduce((total, count) => total + count, 0);
  return {
    requests,
    errors,
    latency: latency.map((count, bucket) => (bucket < floor ? 0 : bucket === floor ? below : count)),
  };
}

/** Whether latencies are compared; a metrics server may have no histogram of them. */
export function comparesLatency({ bounds }: Pick<GateState, 'bounds'>): boolean {
  return bounds === undefined || bounds.length > 0;
}

/** Whether stable gets no traffic any more, so that only the guard can judge. */
export function isAlone(state: GateState): boolean {
  return state.stage.share >= 10_000;
}

/** `since`: from when the newest of it was counted, epoch ms, where that is another time than when the block was opened. */
function judgeBlock(gate: StatisticalGate, state: GateState, now: number, since?: number): void {
  const at = Math.max(0, now - state.startedAt);
  const { wealth, totals } = state;
  injectDue(gate, wealth, at);
  const { block } = wealth;
  const stable = errorRateOf(wealth.estimate);
  const before = {
    requests: totals.candidate.requests - block.candidate.requests,
    errors: totals.candidate.errors - block.candidate.errors,
  };
  // 20 requests' worth of "like stable" until the candidate has a record of its own
  const candidate = (before.errors + 20 * stable) / (before.requests + 20);
  addToDifference(state.difference, block, { candidate, stable });
  const from = since === undefined ? at : Math.min(block.openedAt, since - state.startedAt);
  closeBlock(gate, wealth, {
    at,
    from,
    late: state.readings !== undefined,
    margins: marginsAt(gate, state.stage.share),
    alone: isAlone(state),
  });
  if (state.readings === undefined) noteFailure(gate, state, now);
}

/** Evidence that stable cannot take back for so long stands, ms: it may not be counted any more. */
const longestLate = 60_000;

function noteReading(gate: StatisticalGate, state: GateState, readings: Readings, candidateAt: number): void {
  const against = decidingWealth(gate, state.wealth) >= 1 / gate.alpha;
  const inFavour = leastOf(promotionLogs(state.wealth.promotion, comparesLatency(state))) >= Math.log(1 / gate.beta);
  readings.against = against ? (readings.against ?? candidateAt) : undefined;
  readings.inFavour = inFavour ? (readings.inFavour ?? candidateAt) : undefined;
}

/**
 * A metrics server reads its targets one after the other: what hits both releases at once may be in the candidate's counts before it is in
 * stable's. So evidence stands only when stable has been counted for all the time that it is from, and did not take it back.
 */
export function hasLasted(state: GateState, evidence: 'against' | 'inFavour', now: number): boolean {
  const { readings } = state;
  if (readings === undefined) return true;
  const from = readings[evidence];
  return from !== undefined && (isAlone(state) || readings.stableAt >= from || now - from >= longestLate);
}

/** Notes, once, that the evidence against the candidate is complete. */
export function noteFailure(gate: StatisticalGate, state: GateState, now: number): void {
  if (state.failed !== undefined || decidingWealth(gate, state.wealth) < 1 / gate.alpha) return;
  if (!hasLasted(state, 'against', now)) return;
  const { errors, latency, guard } = wealthParts(state.wealth);
  state.failed = { at: now, metric: errors + guard > latency ? 'errors' : 'latency' };
}
