// The factor "history": how likely a deployment of this service is to hold, from how earlier ones turned out.

import type { PastOutcome } from '../facts.ts';
import { assessed, counted, percent, type Assessed } from './factor.ts';

/** Before anything is known: as if 8 of 10 deployments had held, but believed only as much as two of them. */
const prior = { held: 1.6, failed: 0.4 };

/** So many deployments later an outcome counts half. */
const halfLife = 10;

export interface Posterior {
  /** Chance that the next one holds, and the middle 80 % of what it may be. */
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** A beta posterior with weights that fade; `past` has the newest first. */
export function posteriorOf(past: readonly PastOutcome[]): Posterior {
  let { held, failed } = prior;
  past.forEach((outcome, age) => {
    const weight = 0.5 ** (age / halfLife);
    if (outcome === 'held') held += weight;
    else failed += weight;
  });
  const total = held + failed;
  const mean = held / total;
  // the normal approximation of the beta distribution is good enough for a number that people read
  const spread = 1.2816 * Math.sqrt((mean * (1 - mean)) / (total + 1));
  return { mean, low: Math.max(0, mean - spread), high: Math.min(1, mean + spread) };
}

export function historyFactor(past: readonly PastOutcome[]): Assessed {
  const { mean, low, high } = posteriorOf(past);
  const held = past.filter((outcome) => outcome === 'held').length;
  const seen =
    past.length === 0
      ? 'no earlier deployment is known'
      : `${held} of the last ${counted(past.length, 'deployment')} held`;
  return assessed(
    100 * mean,
    `${seen}; the next one holds with ${percent(mean)} (${percent(low)} to ${percent(high)})`,
  );
}
