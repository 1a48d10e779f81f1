// A block: the requests of both releases that were seen but not judged yet.

import type { Counts } from './counts.ts';
import { clearCounts, noCounts } from './counts.ts';
import { tuning } from './settings.ts';

/** How many failures, and how many slow requests, come together on stable; 1 when they come alone. */
export interface Burst {
  readonly errors: number;
  readonly latency: number;
}

/** Requests that were seen but not judged yet. */
export interface Block {
  readonly candidate: Counts;
  readonly stable: Counts;
  /** Requests of the candidate that chance did not send there (a rule, the preview): they can break the guard, but compare with nothing. */
  readonly apart: { requests: number; errors: number };
  /** Milliseconds since the trial began. */
  openedAt: number;
}

export function emptyBlock(buckets: number): Block {
  return { candidate: noCounts(buckets), stable: noCounts(buckets), apart: { requests: 0, errors: 0 }, openedAt: 0 };
}

/** Opens the next block at `at`, milliseconds since the trial began. */
export function clearBlock(block: Block, at: number): void {
  clearCounts(block.candidate);
  clearCounts(block.stable);
  block.apart.requests = 0;
  block.apart.errors = 0;
  block.openedAt = at;
}

/** Whether a block can be judged. Only numbers of requests count, never how they ended: that keeps the guarantee. */
export function isComplete(block: Block, alone: boolean): boolean {
  const candidates = block.candidate.requests + block.apart.requests;
  return candidates >= 1 && (alone || block.stable.requests >= tuning.stablePerBlock);
}
