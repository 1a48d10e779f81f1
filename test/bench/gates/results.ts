// Results of all jobs, looked up by the question that they answer.

import { logGamma } from '../../../src/core/gate/statistics/special.ts';
import type { Job, JobResult } from './jobs.ts';
import type { RolloutResult, WayName } from './rollout.ts';
import type { Abort, Aborts } from './trial.ts';
import type { Cost } from './cost.ts';

export interface Results {
  readonly cell: (group: string, index: number) => readonly Aborts[];
  readonly perRequest: (
    candidate: { readonly errorRate: number; readonly slower?: number },
    share: number,
  ) => readonly (Abort | undefined)[];
  readonly margin: (share: number, times: number) => readonly boolean[];
  readonly rollout: (way: WayName, index: number) => readonly RolloutResult[];
  readonly cost: Cost;
}

export function collect(jobs: readonly Job[], results: readonly JobResult[]): Results {
  const pairs = jobs.map((job, index) => ({ job, result: results[index] }));
  const cost = pairs.map(({ result }) => result).find((result) => result?.kind === 'cost');
  if (cost === undefined) throw new Error('the cost was not measured');
  return {
    cell: (group, cell) =>
      pairs.flatMap(({ job, result }) =>
        job.kind === 'cell' && result?.kind === 'cell' && job.group === group && job.index === cell
          ? result.aborts
          : [],
      ),
    perRequest: (candidate, share) =>
      pairs.flatMap(({ job, result }) =>
        job.kind === 'perRequest' &&
        result?.kind === 'perRequest' &&
        job.share === share &&
        job.candidate.errorRate === candidate.errorRate &&
        job.candidate.slower === candidate.slower
          ? result.aborts
          : [],
      ),
    margin: (share, times) =>
      pairs.flatMap(({ job, result }) =>
        job.kind === 'margin' && result?.kind === 'margin' && job.share === share && job.times === times
          ? result.passed
          : [],
      ),
    rollout: (way, index) =>
      pairs.flatMap(({ job, result }) =>
        job.kind === 'rollout' && result?.kind === 'rollout' && job.way === way && job.index === index
          ? result.results
          : [],
      ),
    cost: cost.cost,
  };
}

/** The value that the part `q` of all values does not exceed; NaN without values. */
export function rank(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => rank(values, 0.5);

export const mean = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0) / values.length;

/** The rates that `hits` of `tries` leaves possible at 95 % (Clopper and Pearson). */
export function exactInterval(hits: number, tries: number): { readonly low: number; readonly high: number } {
  // P(at least `hits`) at the low end and P(at most `hits`) at the high end are 2.5 % each
  return {
    low: hits === 0 ? 0 : bisect((p) => 1 - upTo(hits - 1, tries, p) - 0.025),
    high: hits === tries ? 1 : bisect((p) => 0.025 - upTo(hits, tries, p)),
  };
}

/** The chance of at most `hits` among `tries` at a rate. */
function upTo(hits: number, tries: number, p: number): number {
  let total = 0;
  for (let index = 0; index <= hits; index += 1) {
    const ways = logGamma(tries + 1) - logGamma(index + 1) - logGamma(tries - index + 1);
    total += Math.exp(ways + index * Math.log(p) + (tries - index) * Math.log1p(-p));
  }
  return total;
}

/** Where a rising function of a probability crosses zero. */
function bisect(rising: (p: number) => number): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step += 1) {
    const middle = (low + high) / 2;
    if (rising(middle) < 0) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
