// What stable was like before the candidate got traffic: its counts, and whether its failures and slow requests come in bursts.

import type { Burst } from './block.ts';
import type { Counts } from './counts.ts';
import { addRequest, noCounts } from './counts.ts';
import { bucketAbove, massBelow } from './suspicions.ts';
import { sum } from './pooled.ts';

/** Lengths of the windows in which bursts are looked for, s. */
const windowSeconds = [1, 10, 30] as const;

/** One window length: what its finished windows add up to. */
interface Windows {
  /** Seconds per window. */
  readonly seconds: number;
  /** Index of the open window since the epoch; -1 before the first request. */
  index: number;
  /** Requests, errors, and requests per latency bucket in the open window. */
  readonly open: Counts;
  /** Finished windows that had requests. */
  finished: number;
  /** Requests and errors in finished windows. */
  requests: number;
  errors: number;
  /** Sum over finished windows of 1/requests, and of errors²/requests. */
  inverses: number;
  errorSquares: number;
  /** Per bucket: requests that were at least that slow, and the sum of their squares over the window's requests, in finished windows. */
  readonly slow: number[];
  readonly slowSquares: number[];
  /** Requests that did not fail, and the sum of their inverses, in finished windows. */
  worked: number;
  workedInverses: number;
}

/** Plain data, changed in place by its owner. */
export interface StableHistory {
  readonly counts: Counts;
  readonly windows: readonly Windows[];
  /** Epoch milliseconds of the first and the last request; undefined while there was none. */
  firstAt?: number | undefined;
  lastAt?: number | undefined;
}

export function createHistory(buckets: number): StableHistory {
  return {
    counts: noCounts(buckets),
    windows: windowSeconds.map((seconds) => ({
      seconds,
      index: -1,
      open: noCounts(buckets),
      finished: 0,
      requests: 0,
      errors: 0,
      inverses: 0,
      errorSquares: 0,
      slow: Array.from({ length: buckets }, () => 0),
      slowSquares: Array.from({ length: buckets }, () => 0),
      worked: 0,
      workedInverses: 0,
    })),
  };
}

/** Adds requests of stable that ended at `at` (epoch ms): `failed` of them failed, `bucket` is where the others' latency lies. */
export function observeStable(history: StableHistory, at: number, counts: Readonly<Counts>): void {
  history.firstAt ??= at;
  history.lastAt = at;
  add(history.counts, counts);
  for (const windows of history.windows) {
    const index = Math.floor(at / 1000 / windows.seconds);
    if (index !== windows.index) {
      finish(windows);
      windows.index = index;
    }
    add(windows.open, counts);
  }
}

/** The same for a single request. */
export function observeStableRequest(history: StableHistory, at: number, failed: boolean, bucket: number): void {
  history.firstAt ??= at;
  history.lastAt = at;
  addRequest(history.counts, failed, bucket);
  for (const windows of history.windows) {
    const index = Math.floor(at / 1000 / windows.seconds);
    if (index !== windows.index) {
      finish(windows);
      windows.index = index;
    }
    addRequest(windows.open, failed, bucket);
  }
}

function add(into: Counts, counts: Readonly<Counts>): void {
  into.requests += counts.requests;
  into.errors += counts.errors;
  for (let bucket = 0; bucket < counts.latency.length; bucket += 1) {
    const count = counts.latency[bucket] ?? 0;
    if (count !== 0) into.latency[bucket] = (into.latency[bucket] ?? 0) + count;
  }
}

/** Takes the open window into the sums and empties it. The first window began before we looked and counts like any other. */
function finish(windows: Windows): void {
  const { open } = windows;
  if (open.requests > 0) {
    windows.finished += 1;
    windows.requests += open.requests;
    windows.errors += open.errors;
    windows.inverses += 1 / open.requests;
    windows.errorSquares += (open.errors * open.errors) / open.requests;
  }
  const worked = open.requests - open.errors;
  if (worked > 0) {
    windows.worked += worked;
    windows.workedInverses += 1 / worked;
    addSlow(windows, worked);
  }
  open.requests = 0;
  open.errors = 0;
  open.latency.fill(0);
}

function addSlow(windows: Windows, worked: number): void {
  let slower = 0;
  for (let bucket = windows.slow.length - 1; bucket >= 0; bucket -= 1) {
    slower += windows.open.latency[bucket] ?? 0;
    if (slower === 0) continue;
    windows.slow[bucket] = (windows.slow[bucket] ?? 0) + slower;
    windows.slowSquares[bucket] = (windows.slowSquares[bucket] ?? 0) + (slower * slower) / worked;
  }
}

/**
 * The correction for bursts: how much more the counts per window scatter than counts of independent requests would, at its greatest
 * over windows of 1, 10 and 30 s and, for latency, over requests beyond p50, p95 and p99. Less than what chance explains counts as 1.
 */
export function burstOf(history: StableHistory, bounds: { readonly least: number; readonly most: number }): Burst {
  const within = (value: number): number => Math.min(Math.max(value, bounds.least), bounds.most);
  const total = sum(history.counts.latency);
  const below = massBelow(history.counts.latency.map((count) => count / Math.max(total, 1)));
  const edges = [0.5, 0.95, 0.99].map((quantile) => bucketAbove(below, quantile));
  const errors = history.windows.map(({ finished, requests, errors, errorSquares, inverses }) =>
    dispersion({ windows: finished, requests, events: errors, squares: errorSquares, inverses }),
  );
  const latency = history.windows.flatMap((windows) =>
    edges.map((edge) =>
      dispersion({
        windows: windows.finished,
        requests: windows.worked,
        events: windows.slow[edge] ?? 0,
        squares: windows.slowSquares[edge] ?? 0,
        inverses: windows.workedInverses,
      }),
    ),
  );
  return { errors: within(Math.max(...errors)), latency: within(Math.max(...latency)) };
}

interface Scatter {
  readonly windows: number;
  readonly requests: number;
  readonly events: number;
  /** Sum over windows of events²/requests. */
  readonly squares: number;
  /** Sum over windows of 1/requests. */
  readonly inverses: number;
}

/** Pearson's chi-squared per degree of freedom, less two standard errors of chance, shrunk towards 1 when there are few events. */
function dispersion({ windows, requests, events, squares, inverses }: Scatter): number {
  if (windows < 3 || events < 2 || events >= requests) return 1;
  const rate = events / requests;
  const chiSquared = (squares - rate * events) / (rate * (1 - rate));
  // counts below 1 per window scatter more than a normal's; 1/(n p (1-p)) is that part of the variance
  const sparse = inverses / windows / (rate * (1 - rate));
  const chance = 2 * Math.sqrt((2 + sparse) / windows);
  const excess = chiSquared / (windows - 1) - 1 - chance;
  return 1 + Math.max(0, excess) * (events / (events + 10));
}
