// What would change the verdict: how many requests until the stage may pass, and how many failures until the candidate is out.

import { bestStake, coupledLogFactor } from './coupled.ts';
import { errorRateOf, latencyOf } from './estimate.ts';
import type { GateState } from './gate.ts';
import { pooledLogFactorOfErrors, sum } from './pooled.ts';
import { marginsAt, tuning, type StatisticalGate } from './settings.ts';
import { bucketAbove, errorSuspicions, latencySuspicions, massBelow, suspectedErrorRates } from './suspicions.ts';
import type { PromotionLogs } from './promotion.ts';
import { guardRateOf, wealthParts } from './wealth.ts';

export interface Outlook {
  /** Failed requests of the candidate in a row that would abort it now; undefined when more than 100. */
  readonly failuresToFail: number | undefined;
  /** Further requests of the candidate until the stage may pass, if it behaves like stable; undefined when it never would. */
  readonly requestsToPass: number | undefined;
  /** The metric that is waited for. */
  readonly waitsFor: 'errors' | 'p95' | 'p99' | 'nothing';
  /** The time that takes at the candidate's rate of requests in this stage, ms; undefined when no request came yet. */
  readonly passInMs: number | undefined;
}

/** Nats per request of the candidate. */
interface Growth {
  readonly errors: number;
  readonly p95: number;
  readonly p99: number;
}

type Logs = PromotionLogs & { readonly needed: number };

export function outlookOf(gate: StatisticalGate, state: GateState, logs: Logs, now: number): Outlook {
  const growth = growthPerRequest(gate, state);
  const waits = (['errors', 'p95', 'p99'] as const).map((metric) => {
    const missing = logs.needed - (logs[metric] ?? logs.needed);
    if (missing <= 0) return { metric, requests: 0 };
    return { metric, requests: growth[metric] > 0 ? missing / growth[metric] : Infinity };
  });
  const longest = waits.reduce((a, b) => (b.requests > a.requests ? b : a));
  const ageMs = now - state.stage.startedAt;
  const perMs = ageMs > 0 ? state.stage.candidate / ageMs : 0;
  const known = Number.isFinite(longest.requests);
  return {
    failuresToFail: failuresToFail(gate, state),
    requestsToPass: known ? Math.ceil(longest.requests) : undefined,
    waitsFor: longest.requests > 0 ? longest.metric : 'nothing',
    passInMs: known && (perMs > 0 || longest.requests === 0) ? Math.ceil(longest.requests / (perMs || 1)) : undefined,
  };
}

/** Requests of stable for each of the candidate at the stage's share, within reason. */
function stablePerCandidate(share: number): number {
  const fraction = Math.min(Math.max(share / 10_000, 0.001), 0.999);
  return (1 - fraction) / fraction;
}

/** Expected growth of the three promotion logarithms per request of a candidate that is just like stable. */
function growthPerRequest(gate: StatisticalGate, state: GateState): Growth {
  const { estimate, burst } = state.wealth;
  const margins = marginsAt(gate, state.stage.share);
  return promotionGrowth({
    errorRate: errorRateOf(estimate),
    base: latencyOf(estimate),
    margins,
    burst,
    stablePerCandidate: stablePerCandidate(state.stage.share),
  });
}

export interface GrowthQuestion {
  readonly errorRate: number;
  readonly base: readonly number[];
  readonly margins: { readonly errors: number; readonly p95: number; readonly p99: number };
  readonly burst: { readonly errors: number; readonly latency: number };
  readonly stablePerCandidate: number;
}

/** The same for any rates, margins and split. */
export function promotionGrowth(question: GrowthQuestion): Growth {
  const { errorRate, base, margins, burst, stablePerCandidate: ratio } = question;
  const centre = errorRate + margins.errors;
  const below = massBelow(base);
  const slow = (q: number, margin: number): number => {
    const from = bucketAbove(below, q);
    const guess = Math.max(sum(base, from), 1e-6);
    const expected = Math.max(sum(base, Math.min(from + tuning.toleranceBuckets, base.length - 1)), 1e-6);
    const limit = Math.min(guess + margin, 0.999);
    const bet = { stake: bestStake(expected, limit), guess, margin };
    return (
      coupledLogFactor({ requests: 1, bad: expected }, { requests: ratio, bad: ratio * guess }, bet) / burst.latency
    );
  };
  const bet = { stake: -margins.errors / (centre * (1 - centre)), guess: errorRate, margin: margins.errors };
  return {
    errors:
      coupledLogFactor({ requests: 1, bad: errorRate }, { requests: ratio, bad: ratio * errorRate }, bet) /
      burst.errors,
    p95: slow(0.95, margins.p95),
    p99: slow(0.99, margins.p99),
  };
}

const manyFailures = 100;

/** Bets forward on nothing but failures of the candidate, with stable working at its share of traffic. */
function failuresToFail(gate: StatisticalGate, state: GateState): number | undefined {
  const { wealth } = state;
  if (state.stage.share === 0) return undefined;
  const stakes = stakesOnErrors(gate, state);
  const { cash, latency } = wealthParts(wealth);
  for (let failures = 0; failures <= manyFailures; failures += 1) {
    const ofErrors = stakes.reduce((total, { stake, gain }) => total + stake * Math.exp(gain * failures), 0);
    const enough = wealth.badEvents + failures >= gate.minBadEvents;
    const counted = enough ? ofErrors : Math.min(ofErrors, gate.capital.errors + gate.capital.guard);
    if (cash + latency + counted >= 1 / gate.alpha) return failures;
  }
  return undefined;
}

/** The stakes on errors and on the guard, each with ln of what one failure of the candidate multiplies it by. */
function stakesOnErrors(gate: StatisticalGate, state: GateState): { readonly stake: number; readonly gain: number }[] {
  const { estimate, burst, stakes } = state.wealth;
  const expected = errorRateOf(estimate);
  const limit = guardRateOf(gate, estimate);
  const one = { requests: 1, errors: 1 };
  const stable = { requests: state.stage.share >= 10_000 ? 0 : stablePerCandidate(state.stage.share), errors: 0 };
  const onErrors = suspectedErrorRates(expected).map((rate, index) => ({
    stake: stakes[index] ?? 0,
    gain: pooledLogFactorOfErrors(one, stable, rate, expected) / burst.errors,
  }));
  const onGuard = tuning.guardRates.map((rate, index) => ({
    stake: stakes[errorSuspicions + latencySuspicions + index] ?? 0,
    gain: Math.log(Math.max(rate, Math.min(1.5 * limit, 0.95)) / limit) / burst.errors,
  }));
  return [...onErrors, ...onGuard];
}
