// The Mann-Whitney interval for a shift between two samples, as Kayenta's judge computes it.

import { normalQuantile } from '../../../../src/core/gate/statistics/special.ts';

export interface Shift {
  readonly low: number;
  readonly high: number;
  /** Hodges and Lehmann's estimate: the median of all differences. */
  readonly estimate: number;
}

/** The interval for x − y by the normal approximation, with corrections for ties and continuity. */
export function mannWhitney(x: readonly number[], y: readonly number[], confidence: number): Shift {
  const differences = x.flatMap((a) => y.map((b) => a - b)).sort((a, b) => b - a);
  const pairs = x.length * y.length;
  const all = x.length + y.length;
  const spread = Math.sqrt(Math.max((pairs / 12) * (all + 1 - (ties(x) + ties(y)) / (all * (all - 1))), 0));
  const z = -normalQuantile((1 - confidence) / 2);
  const rank = Math.ceil(pairs / 2 + 0.5 + z * spread - 1e-9);
  const at = (index: number): number => differences[index] ?? 0;
  const middle = pairs >> 1;
  return {
    low: rank <= pairs ? at(rank - 1) : at(pairs - 1),
    high: rank <= pairs ? at(pairs - rank) : at(0),
    estimate: pairs % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2,
  };
}

/** Sum over groups of equal values within a sample of count³ − count. */
function ties(values: readonly number[]): number {
  const groups = new Map<number, number>();
  for (const value of values) groups.set(value, (groups.get(value) ?? 0) + 1);
  return [...groups.values()].reduce((total, count) => total + count ** 3 - count, 0);
}
