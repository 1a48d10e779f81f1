// Gate checks in words, for plans; once there is evidence, verdicts bring their own.

import type { GateCheck, GateMetric } from '../../core/gate/check.ts';
import { formatDuration } from '../../base/duration.ts';
import { percent } from './units.ts';

const names: Readonly<Record<GateMetric, string>> = {
  errorRate: 'error rate',
  availability: 'availability',
  p50: 'p50',
  p95: 'p95',
  p99: 'p99',
  requestRate: 'requests per second',
};

/** `error rate at most 5 %`, `p95 at most 20 % above stable`. */
export function gateCheckWords(check: GateCheck): string {
  const name = names[check.metric];
  if (check.kind === 'absolute') {
    return `${name} ${check.bound === 'max' ? 'at most' : 'at least'} ${amount(check.metric, check.limit)}`;
  }
  const worse = check.metric === 'availability' ? 'below' : 'above';
  const by = check.unit === 'factor' ? percent(check.limit) : points(check.metric, check.limit);
  return `${name} at most ${by} ${worse} stable`;
}

function amount(metric: GateMetric, value: number): string {
  if (metric === 'errorRate' || metric === 'availability') return percent(value);
  return metric === 'requestRate' ? String(value) : formatDuration(value);
}

function points(metric: GateMetric, value: number): string {
  if (metric === 'errorRate' || metric === 'availability') return `${Number((value * 100).toFixed(2))} points`;
  return amount(metric, value);
}
