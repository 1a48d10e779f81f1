// Gate checks in words, for plans; once there is evidence, verdicts bring their own.

import { metricNames, valueText } from '../../core/gate/assess.ts';
import { queryWords } from '../../core/gate/assess-query.ts';
import type { GateCheck, GateMetric } from '../../core/gate/check.ts';

/** `error rate at most 5 %`, `p95 at most 20 % worse than stable`. */
export function gateCheckWords(check: GateCheck): string {
  if (check.kind === 'query') return `${queryWords(check)}, asked of ${check.source}`;
  if (check.kind === 'statistical') {
    const counted = check.counters === undefined ? '' : `, as counted by ${check.counters.source}`;
    return `no worse than stable, by the statistics of both (${check.preset})${counted}`;
  }
  const name = metricNames[check.metric];
  if (check.kind === 'absolute') {
    return `${name} ${check.bound === 'max' ? 'at most' : 'at least'} ${valueText(check.metric, check.limit)}`;
  }
  const by = check.unit === 'factor' ? `${hundredths(check.limit)} %` : points(check.metric, check.limit);
  return `${name} at most ${by} worse than stable`;
}

function points(metric: GateMetric, value: number): string {
  const isRate = metric === 'errorRate' || metric === 'availability';
  return isRate ? `${hundredths(value)} points` : valueText(metric, value);
}

function hundredths(fraction: number): number {
  return Number((fraction * 100).toFixed(2));
}
