// The benchmark's work, cut into jobs that any worker can do: a job is plain data, and so is its result.

import { burstOf, type StableHistory } from '../../../src/core/gate/statistics/history.ts';
import { gatePresets, marginsAt, type StatisticalGate } from '../../../src/core/gate/statistics/settings.ts';
import { addBlock, startWealth } from '../../../src/core/gate/statistics/wealth.ts';
import { measureCost, type Cost } from './cost.ts';
import { createRandom } from './random.ts';
import { rolloutCases, runRollout, type RolloutResult, type WayName } from './rollout.ts';
import { createArgo } from './rules/argo.ts';
import { createFlagger } from './rules/flagger.ts';
import { createKayenta } from './rules/kayenta.ts';
import { createOurs } from './rules/ours.ts';
import { createFixedThresholds } from './rules/p018.ts';
import type { Rule } from './rules/rule.ts';
import { defects, harmless, healthy, stress, worse } from './scenarios.ts';
import { emptyTick, simulateTick, startRun, type Behaviour, type Scenario } from './traffic.ts';
import { runPerRequest, runTrial, simulateHistory, type Abort, type Aborts } from './trial.ts';

export interface Seeds {
  readonly from: number;
  readonly count: number;
}

export type Job = { readonly seeds: Seeds } & (
  | { readonly kind: 'cell'; readonly group: 'healthy' | 'stress' | 'harmless' | 'defects'; readonly index: number }
  | { readonly kind: 'perRequest'; readonly candidate: Behaviour; readonly share: number }
  | { readonly kind: 'margin'; readonly share: number; readonly times: number }
  | { readonly kind: 'rollout'; readonly way: WayName; readonly index: number }
  | { readonly kind: 'cost' }
);

export type JobResult =
  | { readonly kind: 'cell'; readonly aborts: readonly Aborts[] }
  | { readonly kind: 'perRequest'; readonly aborts: readonly (Abort | undefined)[] }
  | { readonly kind: 'margin'; readonly passed: readonly boolean[] }
  | { readonly kind: 'rollout'; readonly results: readonly RolloutResult[] }
  | { readonly kind: 'cost'; readonly cost: Cost };

/** The default gate without warm-up, unless a scenario is about it. */
const gateWithWarmUp = (seconds: number): StatisticalGate => ({ ...gatePresets.default, warmUpMs: seconds * 1000 });

const seedsOf = ({ from, count }: Seeds): number[] => Array.from({ length: count }, (_, index) => from + index);

export function runJob(job: Job): JobResult {
  const seeds = seedsOf(job.seeds);
  switch (job.kind) {
    case 'cell': {
      const { scenario, warmUp } = cellOf(job.group, job.index);
      const abortsOf = (seed: number): Aborts => runCell(scenario, warmUp, job.group === 'defects', seed);
      return { kind: 'cell', aborts: seeds.map(abortsOf) };
    }
    case 'perRequest': {
      const scenario = worse('', 100, job.share, () => job.candidate);
      const gate = gateWithWarmUp(0);
      const abortOf = (seed: number): Abort | undefined =>
        runPerRequest(scenario, (history) => createOurs(gate, history), { seed, most: 30_000, historySeconds: 600 });
      return { kind: 'perRequest', aborts: seeds.map(abortOf) };
    }
    case 'margin':
      return { kind: 'margin', passed: seeds.map((seed) => passesAt(job.share, job.times, seed)) };
    case 'rollout': {
      const rollout = rolloutCases[job.index];
      if (rollout === undefined) throw new Error(`no rollout case ${job.index}`);
      return { kind: 'rollout', results: seeds.map((seed) => runRollout(job.way, rollout, gatePresets.default, seed)) };
    }
    case 'cost':
      return { kind: 'cost', cost: measureCost() };
  }
}

export function cellOf(
  group: 'healthy' | 'stress' | 'harmless' | 'defects',
  index: number,
): { scenario: Scenario; warmUp: number } {
  const steady = { healthy, harmless, defects };
  const cell = group === 'stress' ? stress[index] : { scenario: steady[group][index], warmUp: 0 };
  if (cell?.scenario === undefined) throw new Error(`no cell ${group} ${index}`);
  return { scenario: cell.scenario, warmUp: cell.warmUp };
}

/** All rules on the same traffic. Healthy candidates are judged every second, worse ones every quarter of a second. */
function runCell(scenario: Scenario, warmUp: number, worseCandidate: boolean, seed: number): Aborts {
  const gate = gateWithWarmUp(warmUp);
  const rules = (history: StableHistory): readonly Rule[] => [
    createOurs(gate, history),
    createOurs(gate, history, { name: 'Sluice, 15 s', scrapeSeconds: 15 }),
    createFixedThresholds(),
    createArgo(),
    createFlagger(),
    createKayenta(),
  ];
  const tickSeconds = worseCandidate ? 0.25 : 1;
  return runTrial(scenario, rules, { seed, tickSeconds, horizonSeconds: 3600, historySeconds: 600 });
}

/** Whether the evidence on errors ever says "may pass" for a candidate that is `times` the margin worse; abort is left out of account. */
function passesAt(share: number, times: number, seed: number): boolean {
  const gate = gateWithWarmUp(0);
  const margins = marginsAt(gate, share * 10_000);
  const scenario = worse('', 100, share, () => ({ errorRate: 0.001 + times * margins.errors }));
  const run = startRun(createRandom(seed));
  const tick = emptyTick();
  const history = simulateHistory(run, scenario, tick, 600);
  const state = startWealth(gate, history.counts, burstOf(history, gate.burst));
  for (let at = 1; at <= 3600; at += 1) {
    simulateTick(run, scenario, tick, at, 1);
    addBlock(gate, state, tick, { at: at * 1000, margins, alone: false });
    if (state.promotion.errors >= Math.log(1 / gate.beta)) return true;
    // below this the chance of ever coming back is less than one in ten thousand
    if (state.promotion.errors < -7) return false;
  }
  return false;
}
