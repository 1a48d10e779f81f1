// A latency histogram with logarithmic buckets: 61 counters stand for any number of requests, and can be written down as JSON.

/** Each bucket's upper bound is this much above the one below, so a value read from a bucket is never further off than this factor. */
const bucketFactor = 1.25;

/**
 * Inclusive upper bounds of all buckets but the last, in ms: 60 values from 0.104 ms to 54.2 s on a grid that passes through 500 ms.
 * The last bucket takes everything above.
 */
export const latencyBounds: readonly number[] = Array.from(
  { length: 60 },
  (_, index) => 500 * bucketFactor ** (index - 38),
);

/** Plain data, changed in place by its owner; `JSON.parse(JSON.stringify(h))` goes on exactly where `h` was. */
export interface Histogram {
  /** Requests per bucket; one more than there are bounds. */
  readonly counts: number[];
  /** The sum of `counts`. */
  count: number;
  /** The longest latency seen, ms; 0 when nothing was added. */
  maxMs: number;
}

/** An empty histogram over the standard bounds, or over `buckets` buckets of the caller's own. */
export function createHistogram(buckets: number = latencyBounds.length + 1): Histogram {
  return { counts: Array.from({ length: buckets }, () => 0), count: 0, maxMs: 0 };
}

/** The index of the bucket that takes a latency; a latency that is negative or no number (a clock that jumped) counts as 0 ms. */
export function bucketOf(latencyMs: number, bounds: readonly number[] = latencyBounds): number {
  if (!(latencyMs > 0)) return 0;
  let low = 0;
  let high = bounds.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (latencyMs <= (bounds[middle] ?? Infinity)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** Adds one request that took `latencyMs`. */
export function addLatency(histogram: Histogram, latencyMs: number, bounds: readonly number[] = latencyBounds): void {
  const bucket = bucketOf(latencyMs, bounds);
  histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + 1;
  histogram.count += 1;
  if (latencyMs > histogram.maxMs) histogram.maxMs = latencyMs;
}

/** Adds all requests of `other` to `histogram`; both must stand on the same bounds. */
export function mergeHistogram(histogram: Histogram, other: Histogram): void {
  for (const [bucket, count] of other.counts.entries()) {
    histogram.counts[bucket] = (histogram.counts[bucket] ?? 0) + count;
  }
  histogram.count += other.count;
  histogram.maxMs = Math.max(histogram.maxMs, other.maxMs);
}

/**
 * The latency in ms that the share `q` (0 to 1) of all requests did not exceed; undefined when there are none. The answer lies in the
 * bucket of the true value, interpolated on the logarithmic scale: off by less than a factor of 1.25 at worst, a few per cent on smooth data.
 */
export function quantile(
  histogram: Histogram,
  q: number,
  bounds: readonly number[] = latencyBounds,
): number | undefined {
  if (histogram.count === 0) return undefined;
  const rank = Math.min(Math.max(q, 0), 1) * histogram.count;
  let below = 0;
  for (const [bucket, count] of histogram.counts.entries()) {
    if (count > 0 && below + count >= rank) return within(histogram, bucket, (rank - below) / count, bounds);
    below += count;
  }
  return histogram.maxMs;
}

/** The value at the fraction `part` of a bucket, never above the longest latency seen. */
function within(histogram: Histogram, bucket: number, part: number, bounds: readonly number[]): number {
  const upper = bounds[bucket] ?? Infinity;
  const lower = bounds[bucket - 1] ?? Math.min(upper, histogram.maxMs) / bucketFactor;
  const top = Math.min(upper, Math.max(histogram.maxMs, lower));
  return lower > 0 ? Math.min(lower * (top / lower) ** part, top) : top * part;
}
