// Argo Rollouts' analysis: success rate at least 95 % over a minute, measured every minute, failureLimit 3 (the fourth failure in total aborts).

import type { Rule } from './rule.ts';
import { createMinutes, errorRate } from './window.ts';

const failureLimit = 3;

export function createArgo(): Rule {
  const minutes = createMinutes();
  let failed = 0;
  return {
    name: 'Argo',
    observe(tick) {
      const minute = minutes.add(tick);
      if (minute === undefined) return false;
      // the condition is written as `isNaN(result) || result >= 0.95`; without the first part an empty minute would fail
      const success = 1 - errorRate(minute.candidate);
      if (!Number.isNaN(success) && success < 0.95) failed += 1;
      return failed > failureLimit;
    },
  };
}
