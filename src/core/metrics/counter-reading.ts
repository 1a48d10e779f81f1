// What a metric source had counted of both releases at one time.

/** All that one instance has counted since it started. */
export interface CumulativeCounts {
  readonly requests: number;
  readonly errors: number;
  /** Requests up to each of its release's bounds, and up to any latency: one more than there are bounds. Empty where it has no such buckets. */
  readonly upTo: readonly number[];
  /** When it was counted, epoch milliseconds. */
  readonly at: number;
}

/** By instance. */
export type CountedInstances = Readonly<Record<string, CumulativeCounts>>;

/** Both releases at one time; plain data. */
export interface CounterReading {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly candidate: CountedInstances;
  readonly stable: CountedInstances;
  /** Upper bounds of the latency buckets, ms; those of candidate and stable are told apart, because they may differ. Empty: none are known. */
  readonly bounds: { readonly candidate: readonly number[]; readonly stable: readonly number[] };
}
