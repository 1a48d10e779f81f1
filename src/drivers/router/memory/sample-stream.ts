// One reader of the memory router's feed: batches wait here, in a bounded number, until they are read.

import type { Sample, SampleBatch } from '../../../core/gate/sample.ts';

/** Samples that one reader may leave unread before the oldest are dropped and counted as lost. */
const unreadMax = 100_000;

export class SampleStream implements AsyncIterable<SampleBatch>, AsyncIterator<SampleBatch> {
  #samples: Sample[] = [];
  #lost = 0;
  #waiting: ((result: IteratorResult<SampleBatch>) => void) | undefined;
  #ended: boolean;
  readonly #close: () => void;

  /** `close` is called once, when the reader is done or `signal` aborts. */
  constructor(signal: AbortSignal, close: () => void) {
    this.#close = close;
    this.#ended = signal.aborted;
    signal.addEventListener('abort', () => this.#end(), { once: true });
  }

  push(samples: readonly Sample[], lost: number): void {
    if (this.#ended) return;
    for (const sample of samples) this.#samples.push(sample);
    this.#lost += lost;
    const over = this.#samples.length - unreadMax;
    if (over > 0) {
      this.#samples.splice(0, over);
      this.#lost += over;
    }
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    waiting({ done: false, value: this.#take() });
  }

  [Symbol.asyncIterator](): AsyncIterator<SampleBatch> {
    return this;
  }

  next(): Promise<IteratorResult<SampleBatch>> {
    if (this.#samples.length > 0 || this.#lost > 0) return Promise.resolve({ done: false, value: this.#take() });
    if (this.#ended) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  return(): Promise<IteratorResult<SampleBatch>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  #take(): SampleBatch {
    const batch = { samples: this.#samples, lost: this.#lost };
    this.#samples = [];
    this.#lost = 0;
    return batch;
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#close();
    this.#waiting?.({ done: true, value: undefined });
    this.#waiting = undefined;
  }
}
