// Simulates every n-th seed of a range in a thread of its own.

import { parentPort, workerData } from 'node:worker_threads';
import { simulate } from './simulate.ts';

export interface SliceResult {
  readonly seeds: number;
  readonly deployments: number;
  readonly crashes: number;
  readonly steps: number;
  /** How often each strategy ended in which way. */
  readonly ends: Readonly<Record<string, number>>;
  /** With seed and story, at most as many as anybody would read. */
  readonly violations: readonly string[];
}

const violationsShown = 5;

const { first, step, last } = workerData as { readonly first: number; readonly step: number; readonly last: number };

async function simulateSlice(): Promise<SliceResult> {
  const ends: Record<string, number> = {};
  const violations: string[] = [];
  const totals = { seeds: 0, deployments: 0, crashes: 0, steps: 0 };
  for (let seed = first; seed <= last && violations.length < violationsShown; seed += step) {
    try {
      const outcome = await simulate(seed);
      totals.deployments += outcome.deployments;
      totals.crashes += outcome.crashes;
      totals.steps += outcome.steps;
      for (const end of outcome.ends) ends[end] = (ends[end] ?? 0) + 1;
    } catch (error) {
      violations.push(error instanceof Error ? error.message : String(error));
    }
    totals.seeds += 1;
  }
  return { ...totals, ends, violations };
}

parentPort?.postMessage(await simulateSlice());
