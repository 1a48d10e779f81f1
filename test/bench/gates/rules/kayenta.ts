// Kayenta's NetflixACAJudge: Mann-Whitney on one point a minute, judged every ten minutes over the hour so far; any metric "High" fails.

import { mannWhitney } from './mann-whitney.ts';
import type { Rule } from './rule.ts';
import { createMinutes, errorRate, latency, type Window } from './window.ts';

const metrics: readonly ((release: Window['candidate']) => number | undefined)[] = [
  (release) => (release.requests === 0 ? undefined : errorRate(release)),
  (release) => latency(release, 0.95),
  (release) => latency(release, 0.99),
];

export function createKayenta(): Rule {
  const minutes = createMinutes();
  const points: Window[] = [];
  return {
    name: 'Kayenta',
    observe(tick) {
      const minute = minutes.add(tick);
      if (minute === undefined) return false;
      points.push(minute);
      return points.length % 10 === 0 && metrics.some((metric) => isHigh(points, metric));
    },
  };
}

function isHigh(points: readonly Window[], metric: (typeof metrics)[number]): boolean {
  const values = (side: 'candidate' | 'stable'): number[] =>
    points.map((point) => metric(point[side])).filter((value) => value !== undefined);
  const [candidate, stable] = [values('candidate'), values('stable')];
  if (candidate.length === 0 || stable.length === 0) return false;
  const { low, estimate } = mannWhitney(candidate, stable, 0.98);
  const means = [candidate, stable].map((list) => list.reduce((total, value) => total + value, 0) / list.length);
  const ratio = (means[0] ?? 0) / (means[1] ?? 1);
  return low > 0.25 * Math.abs(estimate) && ratio >= 1;
}
