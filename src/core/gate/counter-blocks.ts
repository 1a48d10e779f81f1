// Turns what instances have counted since they started into blocks of requests for the statistical gate: one block for each two readings.

import type { CountedInstances, CounterReading, CumulativeCounts } from '../metrics/counter-reading.ts';
import type { Counts } from './statistics/counts.ts';
import { addCounts, noCounts } from './statistics/counts.ts';

export interface CounterBlock {
  readonly candidate: Counts;
  readonly stable: Counts;
  /** The bounds that both releases had at both readings; undefined where they differ, or one has none: then no latency is counted. */
  readonly bounds: readonly number[] | undefined;
  /** The earliest time from which something in it was counted, epoch milliseconds. */
  readonly since: number;
  /** Until when some of the candidate, and all of stable, was counted. */
  readonly until: { readonly candidate: number; readonly stable: number };
}

/**
 * What happened between two readings. An instance of the candidate that was not there before has counted from 0; one whose counters fell
 * has started again and counts from 0 too, and since nobody knows when, the block then reaches back without end. Of stable such counts
 * may be those of weeks: they are where it goes on from. An instance that is gone takes what it counted last with it. A scrape that was
 * missed makes one larger block, and one that is older than what is known, as of another server for the same, makes none.
 */
export function blockBetween(before: CounterReading, now: CounterReading): CounterBlock {
  const bounds = commonBounds(before, now);
  const buckets = bounds === undefined ? 0 : bounds.length + 1;
  const candidate = differences(before.candidate, now.candidate, { buckets, fromNothing: true });
  const stable = differences(before.stable, now.stable, { buckets, fromNothing: false });
  return {
    candidate: candidate.counts,
    stable: stable.counts,
    bounds,
    since: Math.min(candidate.since, stable.since, now.at),
    until: {
      candidate: Math.max(...timesIn(now.candidate, before.at)),
      stable: Math.min(...timesIn(now.stable, before.at)),
    },
  };
}

/** `otherwise` where nothing is counted. */
function timesIn(counted: CountedInstances, otherwise: number): readonly number[] {
  const times = Object.values(counted).map(({ at }) => at);
  return times.length === 0 ? [otherwise] : times;
}

/** What a release alone counted between two readings; its latencies only where its bounds are these at both. */
export function candidateBetween(before: CounterReading, now: CounterReading, wanted: readonly number[]): Counts {
  const { candidate, bounds } = blockBetween(before, now);
  return bounds !== undefined && sameBounds(bounds, wanted) ? candidate : { ...candidate, latency: [] };
}

/** A release of which nothing is counted yet has no bounds, and does not disagree with anybody. */
function commonBounds(before: CounterReading, now: CounterReading): readonly number[] | undefined {
  const sets = [before, now].flatMap((reading) =>
    (['candidate', 'stable'] as const).flatMap((role) =>
      Object.keys(reading[role]).length === 0 ? [] : [reading.bounds[role]],
    ),
  );
  const [first = []] = sets;
  return first.length > 0 && sets.every((bounds) => sameBounds(bounds, first)) ? first : undefined;
}

export function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((bound, index) => bound === b[index]);
}

interface Differences {
  readonly counts: Counts;
  readonly since: number;
}

function differences(
  before: CountedInstances,
  now: CountedInstances,
  { buckets, fromNothing }: { readonly buckets: number; readonly fromNothing: boolean },
): Differences {
  const counts = noCounts(buckets);
  let since = Infinity;
  for (const [instance, counted] of Object.entries(now)) {
    const known = Object.hasOwn(before, instance) ? before[instance] : undefined;
    if (known !== undefined && counted.at < known.at) continue;
    const earlier = known === undefined || isReset(known, counted) ? undefined : known;
    if (earlier === undefined && !fromNothing) continue;
    const difference = differenceOf(earlier, counted, buckets);
    addCounts(counts, difference);
    if (difference.requests > 0) since = Math.min(since, earlier?.at ?? -Infinity);
  }
  return { counts, since };
}

/** Counters never fall but when their program starts again; then all of them begin anew, also those that are higher already. */
function isReset(earlier: CumulativeCounts, counted: CumulativeCounts): boolean {
  const falls = (a: number | undefined, b: number | undefined): boolean => (b ?? 0) < (a ?? 0);
  return (
    falls(earlier.requests, counted.requests) ||
    falls(earlier.errors, counted.errors) ||
    (earlier.upTo.length === counted.upTo.length &&
      earlier.upTo.some((count, index) => falls(count, counted.upTo[index])))
  );
}

/** Differences of whole numbers, so that nothing is lost by rounding over many readings. */
function differenceOf(earlier: CumulativeCounts | undefined, counted: CumulativeCounts, buckets: number): Counts {
  const between = (from: number | undefined, to: number | undefined): number =>
    Math.max(0, Math.round(to ?? 0) - Math.round(from ?? 0));
  const requests = between(earlier?.requests, counted.requests);
  // What it had counted in other buckets tells nothing about these.
  const known = (earlier ?? counted).upTo.length === buckets && counted.upTo.length === buckets;
  const upTo = Array.from({ length: buckets }, (_, index) =>
    known ? between(earlier?.upTo[index], counted.upTo[index]) : 0,
  );
  return {
    requests,
    // The counters of one scrape are read one after the other; a request may be in one of them only.
    errors: Math.min(requests, between(earlier?.errors, counted.errors)),
    latency: upTo.map((count, index) => Math.max(0, count - (upTo[index - 1] ?? 0))),
  };
}

/** An instance that was not seen for so long is forgotten, and of more than this the oldest. */
const forgetMs = 3_600_000;
const rememberedMost = 500;

/**
 * What the next reading is compared with: the newest one, and what instances had counted that are missing from it. A scrape that fails
 * makes an instance vanish for a moment; what it counted before must not count again when it is back.
 */
export function remembered(before: CounterReading | undefined, now: CounterReading): CounterReading {
  if (before === undefined) return now;
  const candidate = rememberedOf('candidate', before, now);
  const stable = rememberedOf('stable', before, now);
  return {
    at: now.at,
    candidate: candidate.instances,
    stable: stable.instances,
    bounds: { candidate: candidate.bounds, stable: stable.bounds },
  };
}

function rememberedOf(
  role: 'candidate' | 'stable',
  before: CounterReading,
  now: CounterReading,
): { readonly instances: CountedInstances; readonly bounds: readonly number[] } {
  const bounds = Object.keys(now[role]).length === 0 ? before.bounds[role] : now.bounds[role];
  const keeps = sameBounds(before.bounds[role], bounds);
  const isNewer = (instance: string, { at }: CumulativeCounts): boolean =>
    !Object.hasOwn(now[role], instance) || at > (now[role][instance]?.at ?? 0);
  const known = Object.entries(before[role])
    .filter(([instance, counted]) => now.at - counted.at <= forgetMs && isNewer(instance, counted))
    .toSorted(([, a], [, b]) => b.at - a.at)
    .slice(0, rememberedMost)
    .map(([instance, counted]) => [instance, keeps ? counted : { ...counted, upTo: [] }] as const);
  return { instances: { ...now[role], ...Object.fromEntries(known) }, bounds };
}
