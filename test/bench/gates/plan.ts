// Which jobs the benchmark runs, and how many runs each gets.

import type { Job, Seeds } from './jobs.ts';
import { rolloutCases, ways } from './rollout.ts';
import { defects, errorRates, harmless, healthy, stress } from './scenarios.ts';

export interface Runs {
  /** Trials per cell of healthy candidates, and per defect. */
  readonly healthy: number;
  readonly defects: number;
  /** Trials judged after every request. */
  readonly perRequest: number;
  /** Trials of candidates at a margin. */
  readonly margin: number;
  readonly rollouts: number;
}

/** About five minutes on two cores. */
export const usualRuns: Runs = { healthy: 40, defects: 40, perRequest: 300, margin: 400, rollouts: 40 };
/** Within fifteen minutes on two cores. */
export const fullRuns: Runs = { healthy: 130, defects: 80, perRequest: 500, margin: 1000, rollouts: 100 };
/** Seconds: what the test runs. */
export const shortRuns: Runs = { healthy: 1, defects: 1, perRequest: 7, margin: 20, rollouts: 3 };

export const perRequestShares: readonly number[] = [0.01, 0.1, 0.5];
export const slowFactors: readonly number[] = [1.1, 1.3, 2];
export const marginShares: readonly number[] = [0.01, 0.05, 0.25, 0.5];

/** All jobs, the long ones first; large ones are cut so that no worker is left with one at the end. */
export function planJobs(runs: Runs, firstSeed: number): Job[] {
  const cells = (group: 'healthy' | 'stress' | 'harmless' | 'defects', count: number, times: number): Job[] =>
    Array.from({ length: count }, (_, index) => index).flatMap((index) =>
      cut({ from: firstSeed, count: times }).map((seeds) => ({ kind: 'cell', group, index, seeds }) as const),
    );
  const perRequest = [
    ...errorRates.map((errorRate) => ({ errorRate })),
    ...slowFactors.map((slower) => ({ errorRate: 0.001, slower })),
  ].flatMap((candidate) =>
    perRequestShares.map((share): Job => ({
      kind: 'perRequest',
      candidate,
      share,
      seeds: { from: firstSeed, count: runs.perRequest },
    })),
  );
  const margins = marginShares.flatMap((share) =>
    [1, 2].flatMap((times) =>
      cut({ from: firstSeed, count: runs.margin }).map((seeds): Job => ({ kind: 'margin', share, times, seeds })),
    ),
  );
  const rollouts = rolloutCases.flatMap((_, index) =>
    ways.map((way): Job => ({ kind: 'rollout', way, index, seeds: { from: firstSeed, count: runs.rollouts } })),
  );
  return [
    ...cells('healthy', healthy.length, runs.healthy),
    ...cells('stress', stress.length, runs.healthy),
    ...cells('harmless', harmless.length, runs.healthy),
    ...cells('defects', defects.length, runs.defects),
    ...margins,
    ...rollouts,
    ...perRequest,
    { kind: 'cost', seeds: { from: 0, count: 1 } },
  ];
}

const most = 20;

function cut({ from, count }: Seeds): Seeds[] {
  const parts: Seeds[] = [];
  for (let start = 0; start < count; start += most)
    parts.push({ from: from + start, count: Math.min(most, count - start) });
  return parts;
}
