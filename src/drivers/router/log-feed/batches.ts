// The batches that one reader of the feed has not taken yet, bounded.

import type { Sample, SampleBatch } from '../../../core/gate/sample.ts';

/** Samples that may wait for a reader before the oldest are thrown away and counted as lost. */
const waitingMax = 200_000;

export class Batches {
  #samples: Sample[] = [];
  #lost = 0;
  #wake: (() => void) | undefined;

  push(samples: readonly Sample[], lost: number): void {
    // A loop, because a spread of so many would not fit on the stack.
    for (const sample of samples) this.#samples.push(sample);
    this.#lost += lost;
    const over = this.#samples.length - waitingMax;
    if (over > 0) {
      this.#samples.splice(0, over);
      this.#lost += over;
    }
    if (this.#samples.length > 0 || this.#lost > 0) this.#wake?.();
  }

  /** What came since the last call; waits for something, and resolves with undefined when `signal` aborts first. */
  async take(signal: AbortSignal): Promise<SampleBatch | undefined> {
    if (signal.aborted) return undefined;
    if (this.#samples.length === 0 && this.#lost === 0) await this.#something(signal);
    if (signal.aborted) return undefined;
    const batch = { samples: this.#samples, lost: this.#lost };
    this.#samples = [];
    this.#lost = 0;
    return batch;
  }

  async #something(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
    this.#wake = undefined;
  }
}
