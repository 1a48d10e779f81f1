// The goals that the gate was built to reach, each with the figure that was measured.

import { waldLimit, twoSampleLimit } from '../../../src/core/gate/statistics/limits.ts';
import { latencyLimit, simulateWald } from './limits.ts';
import { marginShares, slowFactors } from './plan.ts';
import { exactInterval, mean, median, rank, type Results } from './results.ts';
import { rolloutCases, type WayName } from './rollout.ts';
import { errorRates, healthy, stress } from './scenarios.ts';

export interface Goal {
  readonly name: string;
  readonly met: boolean;
  readonly figure: string;
}

const alpha = 0.01;
const percent = (value: number): string => `${Number((value * 100).toFixed(2))} %`;

export function assessGoals(results: Results): Goal[] {
  return [
    falseAborts(results),
    wrongPromotions(results),
    ...failuresToAbort(results),
    ...againstTheLimits(results),
    healthyRollouts(results),
    scrapes(results),
    fewerBadRequests(results),
    cost(results),
  ];
}

/** Whether a rate may be at most `most`: false when the trials rule that out at 97.5 %. More trials make it sharper. */
const within = ({ hits, tries }: { hits: number; tries: number }, most: number): boolean =>
  exactInterval(hits, tries).low <= most;

/** Goals are given to one decimal. */
const rounded = (value: number | undefined): number => Math.round((value ?? Infinity) * 10) / 10;

const abortsOf = (results: Results, group: string, index: number, rule: string): { hits: number; tries: number } => {
  const trials = results.cell(group, index);
  return { hits: trials.filter((aborts) => aborts[rule] !== undefined).length, tries: trials.length };
};

function falseAborts(results: Results): Goal {
  const cells = [
    ...healthy.map((_, index) => ['healthy', index] as const),
    ...stress.map((_, index) => ['stress', index] as const),
  ];
  const counts = ['Sluice', 'Sluice, 15 s'].flatMap((rule) =>
    cells.map(([group, index]) => abortsOf(results, group, index, rule)),
  );
  const pooled = counts.reduce((all, { hits, tries }) => ({ hits: all.hits + hits, tries: all.tries + tries }), {
    hits: 0,
    tries: 0,
  });
  const worst = counts.reduce((a, b) => (b.hits / b.tries > a.hits / a.tries ? b : a));
  const above = counts.filter((count) => !within(count, alpha)).length;
  const { low, high } = exactInterval(pooled.hits, pooled.tries);
  return {
    name: 'G1 false aborts an hour: at most 1 % in every cell, at most 0.5 % pooled',
    met: above === 0 && within(pooled, 0.005),
    figure:
      `${pooled.hits} of ${pooled.tries} hours, ${percent(pooled.hits / pooled.tries)} (${percent(low)} to ${percent(high)}); ` +
      `worst cell ${worst.hits} of ${worst.tries}; ${above} cells certainly above 1 %`,
  };
}

function wrongPromotions(results: Results): Goal {
  const rates = [1, 2].map((times) =>
    marginShares.map((share) => {
      const passed = results.margin(share, times);
      return { hits: passed.filter(Boolean).length, tries: passed.length };
    }),
  );
  const pooled = rates.map((rows) =>
    rows.reduce((all, { hits, tries }) => ({ hits: all.hits + hits, tries: all.tries + tries }), { hits: 0, tries: 0 }),
  );
  const [at = { hits: 1, tries: 1 }, beyond = { hits: 1, tries: 1 }] = pooled;
  return {
    name: 'G2 wrong promotions: at most 5 % at the margin, at most 0.5 % at twice the margin',
    met: within(at, 0.05) && within(beyond, 0.005),
    figure: `${at.hits} of ${at.tries} (${percent(at.hits / at.tries)}); ${beyond.hits} of ${beyond.tries} (${percent(beyond.hits / beyond.tries)})`,
  };
}

const failureGoals = new Map([
  [1, { median: 3, p90: 4 }],
  [0.2, { median: 4, p90: 5 }],
  [0.05, { median: 5, p90: 6 }],
  [0.01, { median: 9, p90: 11 }],
  [0.005, { median: 13, p90: 20 }],
]);

function failuresToAbort(results: Results): Goal[] {
  const rows = [...failureGoals].map(([errorRate, goal]) => {
    const bad = [0.01, 0.1].map((share) =>
      results.perRequest({ errorRate }, share).map((abort) => abort?.bad ?? Infinity),
    );
    const [medians, tails] = [bad.map(median), bad.map((values) => rank(values, 0.9))];
    return { errorRate, goal, median: Math.max(...medians), p90: Math.max(...tails) };
  });
  return [
    {
      name: 'G3 failed requests until abort, judged after each: medians for 100, 20, 5, 1, 0.5 % at most 3, 4, 5, 9, 13',
      met: rows.every((row) => row.median <= row.goal.median),
      figure: rows.map((row) => row.median).join(', '),
    },
    {
      name: 'G3 the same, 90th percentiles at most 4, 5, 6, 11, 20',
      met: rows.every((row) => row.p90 <= row.goal.p90),
      figure: rows.map((row) => row.p90).join(', '),
    },
  ];
}

/** Mean requests of the candidate until abort, for errors and for latency, over what no test can do without. */
function againstTheLimits(results: Results): Goal[] {
  const requests = (candidate: { errorRate: number; slower?: number }, share: number): number =>
    mean(results.perRequest(candidate, share).map((abort) => abort?.requests ?? 30_000));
  const errors = errorRates
    .filter((rate) => rate <= 0.05)
    .flatMap((errorRate) =>
      [0.01, 0.1].map((share) => ({
        wald: requests({ errorRate }, share) / simulateWald(errorRate, 0.001, alpha, 4000, 7).requests,
        twoSample: requests({ errorRate }, share) / twoSampleLimit(errorRate, 0.001, share, alpha),
        formula: requests({ errorRate }, share) / waldLimit(errorRate, 0.001, alpha),
      })),
    );
  const slow = slowFactors.flatMap((slower) =>
    [0.01, 0.1].map(
      (share) =>
        median(results.perRequest({ errorRate: 0.001, slower }, share).map((abort) => abort?.requests ?? 30_000)) /
        latencyLimit(slower, share, alpha),
    ),
  );
  const [wald, twoSample, latency] = [errors.map((row) => row.wald), errors.map((row) => row.twoSample), slow].map(
    (list) => Math.max(...list),
  );
  return [
    {
      name: 'G4 requests until abort for 0.5 to 5 % errors: at most 2.1 times Wald’s test, at most 2.0 times the two-sample limit',
      met: rounded(wald) <= 2.1 && rounded(twoSample) <= 2,
      figure: `at most ${wald?.toFixed(2)} and ${twoSample?.toFixed(2)} times (mean requests)`,
    },
    {
      name: 'G4 requests until abort for slower candidates: at most 2.2 times the two-sample limit',
      met: rounded(latency) <= 2.2,
      figure: `at most ${latency?.toFixed(2)} times (median requests)`,
    },
  ];
}

function healthyRollouts(results: Results): Goal {
  const goals = { 'healthy, 10/s': 1800, 'healthy, 100/s': 200, 'healthy, 1000/s': 120 } as const;
  const rows = Object.entries(goals).map(([name, most]) => {
    const index = rolloutCases.findIndex((rollout) => rollout.name === name);
    const times = results.rollout('Sluice', index).map(({ end, at }) => (end === 'done' ? at : Infinity));
    return { most, median: median(times) };
  });
  return {
    name: 'G5 a healthy rollout to all traffic, median: at most 1800 s at 10/s, 200 s at 100/s, 120 s at 1000/s',
    met: rows.every((row) => row.median <= row.most),
    figure: rows.map((row) => `${Math.round(row.median)} s`).join(', '),
  };
}

/** Reading every 15 s finds the same defects, and costs no more than what the candidate fails in 1.1 intervals. */
function scrapes(results: Results): Goal {
  const rows = errorRates.map((errorRate, index) => {
    const trials = results.cell('defects', index);
    const found = (rule: string): number => trials.filter((aborts) => aborts[rule] !== undefined).length;
    const bad = (rule: string): number => median(trials.map((aborts) => aborts[rule]?.bad ?? Infinity));
    const interval = 1.1 * 100 * 0.1 * 15 * errorRate;
    return {
      power: found('Sluice, 15 s') >= found('Sluice'),
      damage: bad('Sluice, 15 s') - bad('Sluice') <= interval,
      bad: bad('Sluice, 15 s'),
    };
  });
  return {
    name: 'G6 read every 15 s: the same power, and at most 1.1 intervals of damage more',
    met: rows.every((row) => row.power && row.damage),
    figure: `bad requests ${rows.map((row) => row.bad).join(', ')} for ${errorRates.map(percent).join(', ')}`,
  };
}

function fewerBadRequests(results: Results): Goal {
  const others: readonly WayName[] = ['P018', 'Argo', 'Flagger'];
  const ratios = errorRates
    .filter((rate) => rate >= 0.05)
    .flatMap((_, index) => {
      const trials = results.cell('defects', index);
      const bad = (rule: string): number => median(trials.map((aborts) => aborts[rule]?.bad ?? Infinity));
      return [...others, 'Kayenta'].map((rule) => bad(rule) / bad('Sluice'));
    });
  return {
    name: 'G7 at least 10 times fewer bad requests than P018, Argo, Flagger and Kayenta at 5 % errors and more (100/s, 10 %)',
    met: Math.min(...ratios) >= 10,
    figure: `${Math.min(...ratios).toFixed(0)} to ${Math.max(...ratios).toFixed(0)} times fewer`,
  };
}

function cost({ cost: { evaluationMs, blockMs, stateBytes, coreAt20k } }: Results): Goal {
  return {
    name: 'G8 one evaluation at most 0.2 ms, state at most 4 KB; 20,000 samples/s on less than a quarter of a core',
    met: evaluationMs <= 0.2 && stateBytes <= 4096 && coreAt20k < 0.25,
    figure: `${evaluationMs.toFixed(3)} ms with all evidence, ${blockMs.toFixed(3)} ms a block of 20 ms; ${stateBytes} bytes; ${percent(coreAt20k)} of a core`,
  };
}
