// Turns what instances have counted since they started into blocks of requests for the statistical gate: one block for each two scrapes.

import type { Counts } from './statistics/counts.ts';
import { addCounts, noCounts } from './statistics/counts.ts';

/** All that one instance has counted since it started. */
export interface CumulativeCounts {
  readonly requests: number;
  readonly errors: number;
  /** Requests up to each of the reading's bounds, and up to any latency: one more than there are bounds. */
  readonly upTo: readonly number[];
}

/** One scrape of both releases at one time. */
export interface CounterReading {
  /** Upper bounds of the latency buckets, ms; those of candidate and stable are told apart, because they may differ. */
  readonly bounds: { readonly candidate: readonly number[]; readonly stable: readonly number[] };
  /** By instance. */
  readonly candidate: Readonly<Record<string, CumulativeCounts>>;
  readonly stable: Readonly<Record<string, CumulativeCounts>>;
}

export interface CounterBlock {
  readonly candidate: Counts;
  readonly stable: Counts;
  /** Whether latencies can be compared: both releases, and both scrapes, have the same buckets. Otherwise none are counted. */
  readonly hasLatency: boolean;
}

/**
 * What happened between two scrapes. An instance that was not there before has counted from 0; one whose counters fell has started
 * again and counts from 0 too; one that is gone takes what it counted last with it. A scrape that was missed makes one larger block.
 */
export function blockBetween(before: CounterReading, now: CounterReading): CounterBlock {
  const sets = [before.bounds.candidate, before.bounds.stable, now.bounds.candidate, now.bounds.stable];
  const [first = []] = sets;
  const hasLatency = first.length > 0 && sets.every((bounds) => same(bounds, first));
  const buckets = hasLatency ? first.length + 1 : 0;
  return {
    candidate: countsOf(before.candidate, now.candidate, buckets),
    stable: countsOf(before.stable, now.stable, buckets),
    hasLatency,
  };
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((bound, index) => bound === b[index]);
}

type Instances = Readonly<Record<string, CumulativeCounts>>;

function countsOf(before: Instances, now: Instances, buckets: number): Counts {
  const sum = noCounts(buckets);
  for (const [instance, counted] of Object.entries(now)) {
    const earlier = Object.hasOwn(before, instance) ? before[instance] : undefined;
    addCounts(sum, since(earlier === undefined || isReset(earlier, counted) ? undefined : earlier, counted, buckets));
  }
  return sum;
}

/** Counters never fall but when their program starts again; then all of them begin anew, also those that are higher already. */
function isReset(earlier: CumulativeCounts, counted: CumulativeCounts): boolean {
  const falls = (a: number | undefined, b: number | undefined): boolean => (b ?? 0) < (a ?? 0);
  return (
    falls(earlier.requests, counted.requests) ||
    falls(earlier.errors, counted.errors) ||
    earlier.upTo.some((count, index) => falls(count, counted.upTo[index]))
  );
}

/** Differences of whole numbers, so that nothing is lost by rounding over many scrapes. */
function since(earlier: CumulativeCounts | undefined, counted: CumulativeCounts, buckets: number): Counts {
  const between = (from: number | undefined, to: number | undefined): number =>
    Math.max(0, Math.round(to ?? 0) - Math.round(from ?? 0));
  const requests = between(earlier?.requests, counted.requests);
  const upTo = Array.from({ length: buckets }, (_, index) => between(earlier?.upTo[index], counted.upTo[index]));
  return {
    requests,
    // The counters of one scrape are read one after the other; a request may be in one of them only.
    errors: Math.min(requests, between(earlier?.errors, counted.errors)),
    latency: upTo.map((count, index) => Math.max(0, count - (upTo[index - 1] ?? 0))),
  };
}
