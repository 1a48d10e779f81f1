// What the gate costs: the time of one look, the size of its state, and the part of a core that 20,000 requests a second take.

import type { Sample } from '../../../src/core/gate/sample.ts';
import { evaluate } from '../../../src/core/gate/statistics/evidence.ts';
import { addSample, stageStarted, startGate, type GateState } from '../../../src/core/gate/statistics/gate.ts';
import { gatePresets } from '../../../src/core/gate/statistics/settings.ts';
import { createRandom, normal, type Random } from './random.ts';

export interface Cost {
  /** Median time of a full evaluation with evidence, and of judging one block, ms. */
  readonly evaluationMs: number;
  readonly blockMs: number;
  /** The state as JSON, bytes. */
  readonly stateBytes: number;
  /** The fraction of one core that 20,000 samples a second take. */
  readonly coreAt20k: number;
}

const gate = gatePresets.default;
const perSecond = 20_000;

function sampleAt(random: Random, at: number): Sample {
  const candidate = random() < 0.1;
  return {
    at,
    release: candidate ? 'new' : 'old',
    instance: 'i',
    status: random() < 0.001 ? 500 : 200,
    latencyMs: 100 * Math.exp(0.6 * normal(random)),
    via: 'share',
    origin: 'instance',
  };
}

export function measureCost(): Cost {
  const random = createRandom(1);
  const state = startGate(gate, { candidate: 'new', stable: 'old', at: 0 });
  stageStarted(gate, state, { at: 0, share: 1000 });
  const samples = Array.from({ length: 5 * perSecond }, (_, index) =>
    sampleAt(random, Math.floor((index * 1000) / perSecond)),
  );
  // once to let the compiler do its work, once to measure
  for (const sample of samples) addSample(gate, state, sample);
  const began = performance.now();
  for (const sample of samples) addSample(gate, state, { ...sample, at: sample.at + 5000 });
  const coreAt20k = (performance.now() - began) / 5000;
  return {
    evaluationMs: medianOf(() => evaluate(gate, state, 10_000), 400),
    blockMs: medianOf(() => judgeOneBlock(state, random), 400),
    stateBytes: JSON.stringify(state).length,
    coreAt20k,
  };
}

/** Twenty milliseconds' worth of traffic, so that exactly one block closes at its end. */
function judgeOneBlock(state: GateState, random: Random): void {
  const at = state.lastAt + 20;
  for (let index = 0; index < 40; index += 1) addSample(gate, state, sampleAt(random, at));
}

function medianOf(work: () => unknown, times: number): number {
  const spans = Array.from({ length: times }, () => {
    const began = performance.now();
    work();
    return performance.now() - began;
  });
  return spans.sort((a, b) => a - b)[times >> 1] ?? 0;
}
