// Whose turn it is: spreads requests over groups so that every share is exact, by Tijdeman's rule for the chairman assignment problem.

/** Shares of the groups in whole parts; a group with 0 never has a turn. */
export type Weights = readonly number[];

/**
 * How far each group is behind its due, in parts of `total`: after k turns group i is owed `k × weight − total × turns(i)`.
 * Always adds up to 0, and is all 0 again after `total` turns: any `total` turns in a row give each group exactly its weight.
 */
export interface Turns {
  readonly weights: Weights;
  readonly total: number;
  /** Groups with a weight. */
  readonly takers: number;
  /** Changed by `takeTurn`: the hot path of a router must not allocate. */
  readonly owed: number[];
}

/** Turns from the start. */
export function startTurns(weights: Weights): Turns {
  let total = 0;
  let takers = 0;
  for (const weight of weights) {
    total += weight;
    if (weight > 0) takers += 1;
  }
  return { weights, total, takers, owed: weights.map(() => 0) };
}

/**
 * The index of the group whose turn it is; −1 when no group has a weight.
 *
 * Among the groups that may be served now without being more than `1 − 1/(2n−2)` ahead of their due, the one that would fall behind
 * first. So no group is ever ahead or behind by more than that: in every window of N turns two groups are within 1 turn of
 * their share of N, and any number of groups within 2.
 */
export function takeTurn(turns: Turns): number {
  const { weights, total, owed, takers } = turns;
  const scale = takers > 1 ? 2 * takers - 2 : 1;
  let chosen = -1;
  let chosenUrgency = Infinity;
  for (let index = 0; index < weights.length; index++) {
    const weight = weights[index] ?? 0;
    if (weight === 0) continue;
    const due = (owed[index] ?? 0) + weight;
    owed[index] = due;
    // Turns until this group would be behind by the bound.
    const urgency = ((scale - 1) * total - scale * due) / weight;
    if (scale * due >= total && urgency < chosenUrgency) {
      chosen = index;
      chosenUrgency = urgency;
    }
  }
  if (chosen >= 0) owed[chosen] = (owed[chosen] ?? 0) - total;
  return chosen;
}
