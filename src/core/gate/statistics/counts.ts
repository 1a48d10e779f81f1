// Counts of requests: what the gate knows of a release in a block, before the trial, and over the whole of it.

/** Changed in place by its owner. */
export interface Counts {
  requests: number;
  errors: number;
  /** Requests that did not fail, per latency bucket. */
  readonly latency: number[];
}

export interface ReadonlyCounts {
  readonly requests: number;
  readonly errors: number;
  readonly latency: readonly number[];
}

export function noCounts(buckets: number): Counts {
  return { requests: 0, errors: 0, latency: Array.from({ length: buckets }, () => 0) };
}

/** Adds `more` to `counts`. */
export function addCounts(counts: Counts, more: ReadonlyCounts): void {
  counts.requests += more.requests;
  counts.errors += more.errors;
  for (const [bucket, count] of more.latency.entries()) {
    if (count !== 0) counts.latency[bucket] = (counts.latency[bucket] ?? 0) + count;
  }
}

/** Adds one request; the latency of a failed one says nothing about the release and is left out. */
export function addRequest(counts: Counts, failed: boolean, bucket: number): void {
  counts.requests += 1;
  if (failed) counts.errors += 1;
  else counts.latency[bucket] = (counts.latency[bucket] ?? 0) + 1;
}

/** Sets all counts to 0. */
export function clearCounts(counts: Counts): void {
  counts.requests = 0;
  counts.errors = 0;
  counts.latency.fill(0);
}
