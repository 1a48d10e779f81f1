// Flagger's analysis: success rate at least 99 % and p99 at most 500 ms over a minute; five failed checks in all, acted on at the next reconcile.

import type { Rule } from './rule.ts';
import { createMinutes, errorRate, latency } from './window.ts';

const threshold = 5;

export function createFlagger(): Rule {
  const minutes = createMinutes();
  let failedChecks = 0;
  return {
    name: 'Flagger',
    observe(tick) {
      const minute = minutes.add(tick);
      if (minute === undefined) return false;
      if (failedChecks >= threshold) return true;
      // no values is a failed check; a failed check ends the tick, so there is at most one a minute
      const success = 1 - errorRate(minute.candidate);
      const passed = success >= 0.99 && (latency(minute.candidate, 0.99) ?? Infinity) <= 500;
      if (!passed) failedChecks += 1;
      return false;
    },
  };
}
