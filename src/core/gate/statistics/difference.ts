// An interval for "candidate's error rate − stable's" that holds at all times at once, whatever both rates do over the day.

import type { ReadonlyCounts } from './counts.ts';
import { coupledLogFactor } from './coupled.ts';
import type { Interval } from './mixture.ts';

const steps = [0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.2, 0.3, 0.5];

/** The differences that are tested: 31 from −50 to +50 points, denser around 0. */
export const testedDifferences: readonly number[] = [...steps.map((step) => -step).toReversed(), 0, ...steps];

/** Two bets on each tested difference; plain data, changed in place. Logarithms, cut off below at a millionth: rounding down keeps the guarantee. */
export interface DifferenceState {
  /** Against "the difference is at most this". */
  readonly above: number[];
  /** Against "the difference is at least this". */
  readonly below: number[];
}

export function noDifference(): DifferenceState {
  return { above: testedDifferences.map(() => 0), below: testedDifferences.map(() => 0) };
}

/** The guesses of both error rates before the block was seen. */
export interface Guesses {
  readonly candidate: number;
  readonly stable: number;
}

/** Takes up one block. Both guesses must come from before it. */
export function addToDifference(
  state: DifferenceState,
  block: { readonly candidate: ReadonlyCounts; readonly stable: ReadonlyCounts },
  guesses: Guesses,
): void {
  const candidate = { requests: block.candidate.requests, bad: block.candidate.errors };
  const stable = { requests: block.stable.requests, bad: block.stable.errors };
  if (candidate.requests === 0 || stable.requests === 0) return;
  const odds = candidate.requests / stable.requests;
  const noise = guesses.candidate * (1 - guesses.candidate) + odds * guesses.stable * (1 - guesses.stable);
  for (let index = 0; index < testedDifferences.length; index += 1) {
    const margin = testedDifferences[index] ?? 0;
    const surplus = guesses.candidate - guesses.stable - margin;
    if (surplus === 0) continue;
    // the stake that grows fastest if the guesses are right, kept well inside what could be lost
    const stake = bounded(surplus / (noise + surplus * surplus), guesses.stable, margin, odds);
    const factor = coupledLogFactor(candidate, stable, { stake, guess: guesses.stable, margin });
    const logs = surplus > 0 ? state.above : state.below;
    logs[index] = Math.floor(((logs[index] ?? 0) + factor) * 1e6) / 1e6;
  }
}

/** Half of the stake that could lose everything, in whichever direction it points. */
function bounded(stake: number, guess: number, margin: number, odds: number): number {
  const centre = guess + margin;
  const most =
    stake > 0
      ? Math.min(perLoss(centre), perLoss(odds * (1 - guess)))
      : Math.min(perLoss(1 - centre), perLoss(odds * guess));
  return Math.sign(stake) * Math.min(Math.abs(stake), most);
}

const perLoss = (loss: number): number => (loss > 0 ? 0.5 / loss : Infinity);

/** The differences that are not ruled out at level `alpha`, as fractions; −1 and 1 where nothing is ruled out. */
export function differenceInterval(state: DifferenceState, alpha: number): Interval {
  const limit = Math.log(2 / alpha);
  const low = state.above.findLastIndex((log) => log >= limit);
  const high = state.below.findIndex((log) => log >= limit);
  return { low: testedDifferences[low] ?? -1, high: testedDifferences[high] ?? 1 };
}
