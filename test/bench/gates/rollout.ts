// Whole rollouts, from the first request to all traffic: each way of deciding moves its own weights.

import { leastOf, promotionLogs } from '../../../src/core/gate/statistics/promotion.ts';
import { addReading, stageStarted, startGate } from '../../../src/core/gate/statistics/gate.ts';
import type { StableHistory } from '../../../src/core/gate/statistics/history.ts';
import type { StatisticalGate } from '../../../src/core/gate/statistics/settings.ts';
import { createRandom } from './random.ts';
import { createArgo } from './rules/argo.ts';
import { createFlagger } from './rules/flagger.ts';
import { createFixedThresholds } from './rules/p018.ts';
import type { Rule } from './rules/rule.ts';
import { simulateHistory } from './trial.ts';
import { bounds, emptyTick, simulateTick, startRun, type Behaviour, type Scenario, type Tick } from './traffic.ts';

/** A way of rolling out: the share it wants now, and what it makes of a tick. */
interface Way {
  readonly share: () => number;
  readonly observe: (tick: Tick) => 'abort' | 'done' | undefined;
}

/** Sluice: 1, 5, 25, 50 %, each for at least 30 s and until its evidence is complete. */
function sluice(gate: StatisticalGate, history: StableHistory): Way {
  const stages = [100, 500, 2500, 5000];
  const state = startGate(gate, { candidate: 'candidate', stable: 'stable', at: 0, bounds }, history);
  let stage = 0;
  stageStarted(gate, state, { at: 0, share: stages[0] ?? 0 });
  return {
    share: () => (stages[stage] ?? 0) / 10_000,
    observe(tick) {
      const now = Math.round(tick.at * 1000);
      addReading(gate, state, now, tick);
      if (state.failed !== undefined) return 'abort';
      const complete = leastOf(promotionLogs(state.wealth.promotion)) >= Math.log(1 / gate.beta);
      if (!complete || now - state.stage.startedAt < 30_000) return undefined;
      stage += 1;
      if (stage === stages.length) return 'done';
      stageStarted(gate, state, { at: now, share: stages[stage] ?? 0 });
      return undefined;
    },
  };
}

/** Weights that go up by the clock unless the rule aborts. */
function byTheClock(rule: Rule, shares: readonly number[], stageSeconds: number): Way {
  let at = 0;
  return {
    share: () => shares[Math.min(Math.floor(at / stageSeconds), shares.length - 1)] ?? 0,
    observe(tick) {
      at = tick.at;
      if (rule.observe(tick)) return 'abort';
      return at >= shares.length * stageSeconds - 1e-6 ? 'done' : undefined;
    },
  };
}

export const ways = ['Sluice', 'P018', 'Flagger', 'Argo'] as const;
export type WayName = (typeof ways)[number];

function createWay(name: WayName, gate: StatisticalGate, history: StableHistory): Way {
  switch (name) {
    case 'Sluice':
      return sluice(gate, history);
    case 'P018':
      return byTheClock(createFixedThresholds(), [0.05, 0.25, 0.5], 300);
    case 'Flagger':
      return byTheClock(createFlagger(), [0.1, 0.2, 0.3, 0.4, 0.5], 60);
    case 'Argo':
      return byTheClock(createArgo(), [0.2, 0.4, 0.6, 0.8], 600);
  }
}

export interface RolloutCase {
  readonly name: string;
  readonly rate: number;
  /** The candidate's behaviour at a share. */
  readonly candidate: (share: number) => Behaviour;
}

const usual: Behaviour = { errorRate: 0.001 };

export const rolloutCases: readonly RolloutCase[] = [
  { name: 'healthy, 10/s', rate: 10, candidate: () => usual },
  { name: 'healthy, 100/s', rate: 100, candidate: () => usual },
  { name: 'healthy, 1000/s', rate: 1000, candidate: () => usual },
  { name: '0.5 % errors, 100/s', rate: 100, candidate: () => ({ errorRate: 0.005 }) },
  { name: '1 % errors, 100/s', rate: 100, candidate: () => ({ errorRate: 0.01 }) },
  { name: '5 % errors, 100/s', rate: 100, candidate: () => ({ errorRate: 0.05 }) },
  {
    name: '5 % errors from 25 % of traffic on, 100/s',
    rate: 100,
    candidate: (share) => ({ errorRate: share >= 0.25 ? 0.05 : 0.001 }),
  },
];

export interface RolloutResult {
  readonly end: 'abort' | 'done' | 'open';
  readonly at: number;
  readonly bad: number;
}

export function runRollout(
  way: WayName,
  { rate, candidate }: RolloutCase,
  gate: StatisticalGate,
  seed: number,
): RolloutResult {
  const run = startRun(createRandom(seed));
  const tick = emptyTick();
  const before: Scenario = { name: '', rate, share: () => 0, candidate: () => usual, stable: () => usual };
  const moving = createWay(way, gate, simulateHistory(run, before, tick, 600));
  const scenario: Scenario = { ...before, share: moving.share, candidate: () => candidate(moving.share()) };
  const seconds = rate <= 10 ? 1 : 0.25;
  let bad = 0;
  for (let index = 1; index * seconds <= 7200; index += 1) {
    simulateTick(run, scenario, tick, index * seconds, seconds);
    bad += tick.candidate.errors;
    const end = moving.observe(tick);
    if (end !== undefined) return { end, at: tick.at, bad };
  }
  return { end: 'open', at: 7200, bad };
}
