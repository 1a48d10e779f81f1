// One request read from a log, and what a log can say besides.

/** A request as a log tells it. */
export interface LogRecord {
  /** Seconds; since the epoch for access logs, since the candidate's start for traces. Only differences count. */
  readonly atSeconds: number;
  readonly release: 'candidate' | 'stable';
  readonly status: number;
  /** Undefined when the log does not say how long the request took: then only errors are judged. */
  readonly latencyMs: number | undefined;
}

/** What a trace says about itself before its first request. */
export interface TraceHeader {
  readonly name?: string | undefined;
  /** Fraction of traffic that went to the candidate, where it was fixed. */
  readonly share?: number | undefined;
  /** Upper bounds of the latency buckets, ms. */
  readonly bounds?: readonly number[] | undefined;
  /** The releases were measured with different buckets, so their latencies cannot be compared; `bounds` is undefined. */
  readonly bucketsDiffer?: boolean | undefined;
  /** Stable before the candidate started. */
  readonly history?:
    | { readonly requests: number; readonly errors: number; readonly latency: readonly number[] }
    | undefined;
  /** Settings of the gate that the trace was made with, by the names of its format. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * What a line holds · `request` · `header`: only in traces · `nothing`: empty, a comment, or of a release that is not asked for ·
 * `unreadable`: it should have been a request, but is not; `problem` says why.
 */
export type Line =
  | { readonly kind: 'request'; readonly record: LogRecord }
  | { readonly kind: 'header'; readonly header: TraceHeader }
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unreadable'; readonly problem: string };

/** Reads one line at a time; a parser may remember what earlier lines said (a CSV file's titles). */
export type LineParser = (line: string) => Line;

/** Characters; longer lines are not looked at. */
export const longestLine = 65_536;

export const nothing: Line = { kind: 'nothing' };

export function unreadable(problem: string): Line {
  return { kind: 'unreadable', problem };
}

/** Some three thousand years: beyond it are numbers, but no times. */
const latestSeconds = 1e11;

/** A request, or why its numbers cannot be those of one. */
export function requestLine(record: LogRecord): Line {
  const { atSeconds, status, latencyMs } = record;
  if (!(Math.abs(atSeconds) <= latestSeconds)) return unreadable(`${atSeconds} s is no time of a log`);
  if (!Number.isInteger(status) || status < 100 || status > 599) return unreadable(`${status} is not an HTTP status`);
  if (latencyMs !== undefined && !(latencyMs >= 0 && latencyMs < 1e9))
    return unreadable(`${latencyMs} ms is not a duration`);
  return { kind: 'request', record };
}
