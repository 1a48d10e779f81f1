// The feed of finished requests: costs nothing when nobody reads, and drops and counts what a slow reader does not take.

import type { Sample, SampleBatch } from '../../../../core/gate/sample.ts';

/** One reader; `send` returns false when it cannot take more now, and the batch is lost for it. */
export interface FeedReader {
  send(batch: SampleBatch): boolean;
}

/** A batch is sent when its first sample is so old. Rollbacks wait for it, so it is short. */
const batchMs = 20;
/** More samples in one batch than any one core can proxy: what comes beyond is counted as lost. */
const batchSamplesMax = 20_000;

export class SampleFeed {
  readonly #readers = new Map<FeedReader, { lost: number }>();
  #batch: Sample[] = [];
  #lost = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Whether samples are wanted; ask before making one. */
  get wanted(): boolean {
    return this.#readers.size > 0;
  }

  add(reader: FeedReader): void {
    // What finished before belongs to those who were there.
    this.flush();
    this.#readers.set(reader, { lost: 0 });
  }

  remove(reader: FeedReader): void {
    this.#readers.delete(reader);
    if (this.#readers.size === 0) this.flush();
  }

  record(sample: Sample): void {
    if (this.#batch.length < batchSamplesMax) this.#batch.push(sample);
    else this.#lost += 1;
    this.#timer ??= setTimeout(() => this.flush(), batchMs);
  }

  /** Sends what there is at once. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#batch.length === 0 && this.#lost === 0) return;
    const samples = this.#batch;
    const lost = this.#lost;
    this.#batch = [];
    this.#lost = 0;
    for (const [reader, state] of this.#readers) {
      state.lost += lost;
      if (reader.send({ samples, lost: state.lost })) state.lost = 0;
      else state.lost += samples.length;
    }
  }
}
