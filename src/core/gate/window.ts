// Counts what both releases showed during one hold; checks judge these counts and nothing else.

import type { ReleaseId } from '../release.ts';
import { addLatency, createHistogram, quantile, type Histogram } from './histogram.ts';
import { isError, type Sample } from './sample.ts';
import type { ReleaseEvidence } from './verdict.ts';

interface Counts {
  requests: number;
  errors: number;
  /** Errors that the router had to answer for: the release did not answer at all. */
  unanswered: number;
  /** Epoch milliseconds of the newest error, and of the first one after a quiet time. */
  lastErrorAt?: number | undefined;
  failingSince?: number | undefined;
  /** Latencies of answers that were no errors. */
  readonly latencies: Histogram;
}

/** Evidence of one hold. Changed in place by its owner, because a busy service ends thousands of requests a second. */
export interface Window {
  readonly candidate: ReleaseId;
  readonly stable: ReleaseId | undefined;
  readonly startedAt: number;
  readonly counts: { readonly candidate: Counts; readonly stable: Counts };
  /** Samples that the router could not deliver. */
  lost: number;
}

export function createWindow(candidate: ReleaseId, stable: ReleaseId | undefined, startedAt: number): Window {
  return { candidate, stable, startedAt, counts: { candidate: noCounts(), stable: noCounts() }, lost: 0 };
}

function noCounts(): Counts {
  return { requests: 0, errors: 0, unanswered: 0, latencies: createHistogram() };
}

/** Takes a sample in; requests to the preview address and those that ended before the window are not evidence. */
export function addSample(window: Window, sample: Sample): void {
  if (sample.via === 'preview' || sample.at < window.startedAt) return;
  const counts = countsOf(window, sample.release);
  if (counts === undefined) return;
  counts.requests += 1;
  if (!isError(sample)) {
    // A client that went away cut the answer short: its time says nothing about the release.
    if (sample.status !== 499) addLatency(counts.latencies, sample.latencyMs);
    return;
  }
  counts.errors += 1;
  if (sample.at - (counts.lastErrorAt ?? -Infinity) > quietMs) counts.failingSince = sample.at;
  counts.lastErrorAt = sample.at;
  if (sample.origin === 'router') counts.unanswered += 1;
}

/** Errors further apart than this do not belong together. */
const quietMs = 60_000;

function countsOf(window: Window, release: ReleaseId): Counts | undefined {
  if (release === window.candidate) return window.counts.candidate;
  return release === window.stable ? window.counts.stable : undefined;
}

/** What one release showed, for verdicts and for people. */
export function evidenceOf(window: Window, role: 'candidate' | 'stable'): ReleaseEvidence {
  const counts = window.counts[role];
  return {
    release: (role === 'candidate' ? window.candidate : window.stable) ?? window.candidate,
    requests: counts.requests,
    errors: counts.errors,
    unanswered: counts.unanswered,
    ...(counts.failingSince === undefined ? {} : { failingSince: counts.failingSince }),
    p50: quantile(counts.latencies, 0.5),
    p95: quantile(counts.latencies, 0.95),
    p99: quantile(counts.latencies, 0.99),
  };
}
