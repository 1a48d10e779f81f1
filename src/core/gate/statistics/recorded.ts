// Judges a promoted release by what stable was like before: stable has no traffic any more, so its record takes its place.

import { bucketOf, latencyBounds } from '../histogram.ts';
import { isError, type Sample } from '../sample.ts';
import type { ReadonlyCounts } from './counts.ts';
import { errorRateOf, latencyOf } from './estimate.ts';
import { percent } from './explain.ts';
import type { GateState } from './gate.ts';
import { sum } from './pooled.ts';
import { tuning, type StatisticalGate } from './settings.ts';
import { bucketAbove, massBelow } from './suspicions.ts';
import { guardRateOf } from './wealth.ts';

/**
 * One question about the release alone: is there more of something than `limit`, second after second? Seconds are counted and not
 * requests: a stall or a hiccup of a dependency makes a hundred bad requests at once, and with no stable beside it nobody can tell
 * whose fault that is.
 */
interface Bet {
  /** As a fraction of a second's requests; a second with more of it is a bad one. */
  readonly limit: number;
  /** What stable showed of it, as a fraction of requests. */
  readonly stable: number;
  /** For each suspicion, the capital that is staked on it now. */
  readonly stakes: number[];
  /** The part of the whole capital. */
  readonly capital: number;
  /** Requests since the last look, and those among them of which it is true; then the same since the beginning. */
  open: { requests: number; hits: number };
  readonly total: { requests: number; hits: number };
}

/** Changed in place by its owner. */
export interface RecordedTrial {
  readonly errors: Bet;
  /** Undefined where too little is known of stable's latency. */
  readonly slow: Bet | undefined;
  /** Latency bucket from which a request counts as slow. */
  readonly slowFrom: number;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** How long it goes on, ms; the capital is staked evenly over it, because a fault may come at any moment. */
  readonly forMs: number;
  lookedAt: number;
}

/** A release is blamed when more than this fraction of its seconds are proved bad. */
const badSeconds = 0.2;
/** Fractions of bad seconds that it is suspected of. */
const suspected = [0.5, 0.75, 0.95] as const;
const lookMs = 1_000;

/** Weight of the record, in requests, below which nothing is said about latency. */
const leastKnown = 200;
/** A request is slow when it takes longer than stable's p95 and a quarter; so many times as many as stable had may be. */
const slowFactor = 3;
const leastSlowLimit = 0.15;

/** Begins where the deployment's own gate ended. */
export function startRecorded(gate: StatisticalGate, state: GateState, at: number, forMs: number): RecordedTrial {
  const { estimate } = state.wealth;
  const known = estimate.counts.requests - tuning.priorWeight;
  const latency = latencyOf(estimate);
  const bounds = state.bounds ?? latencyBounds;
  const slowFrom = bucketAbove(massBelow(latency), 0.95) + tuning.toleranceBuckets;
  const slowRate = latency.slice(slowFrom).reduce((sum, mass) => sum + mass, 0);
  const slowLimit = Math.min(Math.max(leastSlowLimit, slowFactor * slowRate), 0.5);
  const canTell = known >= leastKnown && slowFrom <= bounds.length;
  return {
    errors: bet(guardRateOf(gate, estimate), errorRateOf(estimate), canTell ? 0.6 : 1),
    slow: canTell ? bet(slowLimit, slowRate, 0.4) : undefined,
    slowFrom,
    startedAt: at,
    forMs,
    lookedAt: at,
  };
}

function bet(limit: number, stable: number, capital: number): Bet {
  return {
    limit,
    stable,
    capital,
    stakes: suspected.map(() => 0),
    open: { requests: 0, hits: 0 },
    total: { requests: 0, hits: 0 },
  };
}

/** Takes up one finished request of the promoted release. */
export function addToRecorded(trial: RecordedTrial, sample: Sample, bounds: readonly number[] = latencyBounds): void {
  if (sample.via === 'preview' || sample.at < trial.startedAt) return;
  const failed = isError(sample);
  count(trial.errors, failed ? 1 : 0);
  // A client that went away cut the answer short.
  if (trial.slow !== undefined && !failed && sample.status !== 499)
    count(trial.slow, bucketOf(sample.latencyMs, bounds) >= trial.slowFrom ? 1 : 0);
}

/** Takes up what the promoted release counted; `bounds` are those of the gate that the trial began with, or there are no latencies. */
export function addCountsToRecorded(trial: RecordedTrial, counts: ReadonlyCounts): void {
  count(trial.errors, counts.errors, counts.requests);
  if (trial.slow !== undefined) count(trial.slow, sum(counts.latency, trial.slowFrom), sum(counts.latency));
}

function count(bet: Bet, hits: number, requests = 1): void {
  bet.open.requests += requests;
  bet.open.hits += hits;
}

/**
 * Why the release is worse than its record allows, as soon as that is proved; undefined otherwise. However often it is asked, a release
 * that is over a limit in at most one second of five is blamed with a chance of at most `gate.alpha` over the whole of `forMs` (Ville's
 * inequality). One that is over it all the time is blamed after about eight seconds.
 */
export function worseThanRecorded(gate: StatisticalGate, trial: RecordedTrial, now: number): string | undefined {
  // A clock that went back, or a look that comes early: the second goes on.
  if (now - trial.lookedAt < lookMs) return undefined;
  const passedMs = Math.min(now - trial.lookedAt, trial.forMs);
  trial.lookedAt = now;
  const fresh = passedMs / trial.forMs;
  const wealth = settle(trial.errors, fresh) + (trial.slow === undefined ? 0 : settle(trial.slow, fresh));
  if (wealth < 1 / gate.alpha) return undefined;
  const failing = trial.errors.total.hits >= gate.minBadEvents && wealthOf(trial.errors) >= wealthOf(trial.slow);
  if (failing) return words('of its requests fail', trial.errors);
  if (trial.slow === undefined || wealthOf(trial.slow) < 1 / gate.alpha) return undefined;
  return words('of its requests are slower than nearly all of the former release’s', trial.slow);
}

/** Capital is staked before the requests that it bets on are looked at. */
function settle(bet: Bet, fresh: number): number {
  const { open, total, limit, stakes } = bet;
  const isBad = open.hits > limit * open.requests;
  for (const [index, rate] of suspected.entries()) {
    const before = (stakes[index] ?? 0) + (fresh * bet.capital) / suspected.length;
    const factor = isBad ? rate / badSeconds : (1 - rate) / (1 - badSeconds);
    // A second without requests says nothing.
    stakes[index] = open.requests === 0 ? before : Math.min(before * factor, 1e200);
  }
  total.requests += open.requests;
  total.hits += open.hits;
  bet.open = { requests: 0, hits: 0 };
  return wealthOf(bet);
}

function wealthOf(bet: Bet | undefined): number {
  return bet === undefined ? 0 : bet.stakes.reduce((sum, stake) => sum + stake, 0);
}

function words(what: string, { total, stable, limit }: Bet): string {
  return `${total.hits} of ${total.requests} ${what} since the promotion, and lately more than ${percent(limit)} in nearly every second, where the former release had ${percent(stable)}`;
}
