// The clock port: all time that the core and the engine know.

export interface Clock {
  /** Epoch milliseconds; may jump back when the machine's clock is set. */
  now(): number;
  /** Resolves after `durationMs`, or at once when `signal` aborts; never rejects. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}
