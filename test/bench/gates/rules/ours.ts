// Sluice's own gate, fed with the same ticks; a scrape interval gathers ticks as a metrics server would.

import { addCounts, clearCounts, noCounts } from '../../../../src/core/gate/statistics/counts.ts';
import { burstOf, type StableHistory } from '../../../../src/core/gate/statistics/history.ts';
import { marginsAt, tuning, type StatisticalGate } from '../../../../src/core/gate/statistics/settings.ts';
import {
  addBlock,
  decidingWealth,
  inject,
  startWealth,
  type WealthState,
} from '../../../../src/core/gate/statistics/wealth.ts';
import { buckets, type Tick } from '../traffic.ts';
import type { Rule } from './rule.ts';

export interface OurRule extends Rule {
  readonly state: WealthState;
}

export interface OurOptions {
  readonly name?: string;
  /** Seconds between two looks; undefined: every tick. */
  readonly scrapeSeconds?: number;
  /** Treats stable as if nothing came in bursts. */
  readonly ignoreBursts?: boolean;
}

export function createOurs(gate: StatisticalGate, history: StableHistory, options: OurOptions = {}): OurRule {
  const burst = options.ignoreBursts === true ? { errors: 1, latency: 1 } : burstOf(history, gate.burst);
  const state = startWealth(gate, history.counts, burst);
  // a trial begins with its first stage, which stakes some capital of its own
  inject(gate, state, tuning.stageShare);
  const gathered = { candidate: noCounts(buckets), stable: noCounts(buckets) };
  const every = options.scrapeSeconds ?? 0;
  let lookedAt = 0;
  return {
    name: options.name ?? 'Sluice',
    state,
    observe(tick: Tick) {
      if (every === 0) return look(tick, tick);
      addCounts(gathered.candidate, tick.candidate);
      addCounts(gathered.stable, tick.stable);
      if (tick.at < lookedAt + every - 1e-6) return false;
      lookedAt = tick.at;
      const abort = look(tick, gathered);
      clearCounts(gathered.candidate);
      clearCounts(gathered.stable);
      return abort;
    },
  };

  function look(tick: Tick, counts: typeof gathered): boolean {
    const margins = marginsAt(gate, tick.share * 10_000);
    addBlock(gate, state, counts, { at: tick.at * 1000, margins, alone: false });
    return decidingWealth(gate, state) >= 1 / gate.alpha;
  }
}
