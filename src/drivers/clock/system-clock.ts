// The machine's own clock.

import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../ports/clock.ts';

/** The longest that one timer of Node can wait. */
const longestTimerMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  async sleep(durationMs, signal) {
    if (signal?.aborted === true) return;
    // Only an abort can reject it.
    await sleep(Math.min(Math.max(0, durationMs), longestTimerMs), undefined, { signal }).catch(() => undefined);
  },
};
