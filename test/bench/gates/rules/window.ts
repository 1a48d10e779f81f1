// Counts per minute and over the last minutes, as a metrics server would give them to a rule that asks once a minute.

import { quantile } from '../../../../src/core/gate/histogram.ts';
import { addCounts, noCounts, type Counts } from '../../../../src/core/gate/statistics/counts.ts';
import { sum } from '../../../../src/core/gate/statistics/pooled.ts';
import { bounds, buckets, type Tick } from '../traffic.ts';

/** Both releases over one window. */
export interface Window {
  readonly candidate: Counts;
  readonly stable: Counts;
}

const emptyWindow = (): Window => ({ candidate: noCounts(buckets), stable: noCounts(buckets) });

export interface Minutes {
  /** Takes up a tick and returns the minute that it completes, if it does. */
  readonly add: (tick: Tick) => Window | undefined;
}

export function createMinutes(): Minutes {
  let open = emptyWindow();
  let completed = 0;
  return {
    add(tick) {
      addCounts(open.candidate, tick.candidate);
      addCounts(open.stable, tick.stable);
      if (tick.at < (completed + 1) * 60 - 1e-6) return undefined;
      completed = Math.floor(tick.at / 60 + 1e-6);
      const minute = open;
      open = emptyWindow();
      return minute;
    },
  };
}

/** Several minutes as one window. */
export function together(minutes: readonly Window[]): Window {
  const all = emptyWindow();
  for (const { candidate, stable } of minutes) {
    addCounts(all.candidate, candidate);
    addCounts(all.stable, stable);
  }
  return all;
}

export const errorRate = ({ requests, errors }: Counts): number => errors / requests;

/** A latency quantile of the requests that did not fail, ms; undefined without any. */
export function latency({ latency }: Counts, q: number): number | undefined {
  const count = sum(latency);
  return quantile({ counts: latency, count, maxMs: 3725 }, q, bounds);
}
