// Remembers, while nothing is deployed, what the traffic of stable is like: whether its failures come in bursts takes more than a moment to see.

import { failureData } from '../base/failure.ts';
import { latencyBounds } from '../core/gate/histogram.ts';
import type { Sample, SampleBatch } from '../core/gate/sample.ts';
import { addHistorySample } from '../core/gate/statistics/gate.ts';
import { createHistory, type StableHistory } from '../core/gate/statistics/history.ts';
import type { Placement } from '../core/rollout/situation.ts';
import { scopeName, type Scope } from '../core/scope.ts';
import type { ScopeState } from '../ports/store.ts';
import type { Dependencies } from './dependencies.ts';

/** What is older than one to two of these is forgotten: traffic of another time of day says little. */
const paneMs = 3_600_000;
/** A pane as young as this says too little by itself. */
const youngMs = 600_000;

interface Memory {
  readonly release: string;
  readonly stop: AbortController;
  before: StableHistory | undefined;
  pane: StableHistory;
}

export class StableMemory {
  readonly #deps: Dependencies;
  readonly #signal: AbortSignal;
  readonly #memories = new Map<string, Memory>();

  constructor(deps: Dependencies, signal: AbortSignal) {
    this.#deps = deps;
    this.#signal = signal;
  }

  /** Reads the traffic of every scope that has a stable release to compare with later; during a deployment its own keeper reads. */
  keep(states: readonly ScopeState[]): void {
    for (const { situation, active } of states) {
      const name = scopeName(situation.scope);
      const memory = this.#memories.get(name);
      const { stable } = situation;
      if (memory !== undefined && memory.release !== stable?.release.id) this.#forget(name, memory);
      if (active !== undefined) memory?.stop.abort();
      else if (stable !== undefined && isCompared(stable)) this.#remember(name, situation.scope, stable);
    }
  }

  #forget(name: string, memory: Memory): void {
    memory.stop.abort();
    this.#memories.delete(name);
  }

  #remember(name: string, scope: Scope, stable: Placement): void {
    const known = this.#memories.get(name);
    if (known !== undefined && !known.stop.signal.aborted) return;
    const memory: Memory = {
      release: stable.release.id,
      before: undefined,
      pane: createHistory(latencyBounds.length + 1),
      ...known,
      stop: new AbortController(),
    };
    this.#memories.set(name, memory);
    void this.#read(scope, stable, memory);
  }

  /** A copy of what is remembered of a release in its scope. */
  historyOf(scope: Scope, release: string | undefined): StableHistory | undefined {
    const memory = this.#memories.get(scopeName(scope));
    if (memory === undefined || memory.release !== release) return undefined;
    const { pane, before } = memory;
    const isYoung = (pane.lastAt ?? 0) - (pane.firstAt ?? 0) < youngMs;
    return structuredClone(isYoung ? (before ?? pane) : pane);
  }

  async #read(scope: Scope, stable: Placement, memory: Memory): Promise<void> {
    const { clock, timing, log } = this.#deps;
    const signal = AbortSignal.any([memory.stop.signal, this.#signal]);
    while (!signal.aborted) {
      try {
        const { router } = this.#deps.drivers(stable.spec);
        if (!router.capabilities.feed) return;
        for await (const batch of router.feed(scope, signal)) this.#takeIn(memory, batch);
      } catch (error) {
        if (signal.aborted) return;
        log.write('warn', 'the traffic of stable could not be read', {
          scope: scopeName(scope),
          error: failureData(error),
        });
      }
      await clock.sleep(timing.superviseMs, signal);
    }
  }

  #takeIn(memory: Memory, { samples }: SampleBatch): void {
    for (const sample of samples)
      if (sample.release === memory.release && sample.via !== 'preview') this.#add(memory, sample);
  }

  #add(memory: Memory, sample: Sample): void {
    if (sample.at - (memory.pane.firstAt ?? sample.at) >= paneMs) {
      memory.before = memory.pane;
      memory.pane = createHistory(latencyBounds.length + 1);
    }
    addHistorySample(memory.pane, sample);
  }
}

function isCompared({ spec }: Placement): boolean {
  return spec.gates.some((check) => check.kind === 'statistical');
}
