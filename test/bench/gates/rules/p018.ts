// Fixed thresholds over five minutes, looked at every minute: errors above stable + 5 points, p95 above stable + 3 s, availability below 95 %.

import type { Rule } from './rule.ts';
import { createMinutes, errorRate, latency, together, type Window } from './window.ts';

export function createFixedThresholds(): Rule {
  const minutes = createMinutes();
  const window: Window[] = [];
  return {
    name: 'P018',
    observe(tick) {
      const minute = minutes.add(tick);
      if (minute === undefined) return false;
      window.push(minute);
      if (window.length > 5) window.shift();
      const { candidate, stable } = together(window);
      if (candidate.requests === 0) return false;
      const errors = errorRate(candidate);
      const worse = stable.requests > 0 && errors > errorRate(stable) + 0.05;
      const slower = (latency(candidate, 0.95) ?? 0) > (latency(stable, 0.95) ?? Infinity) + 3000;
      return worse || slower || 1 - errors < 0.95;
    },
  };
}
