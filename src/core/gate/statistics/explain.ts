// A verdict in words, for a person who has to decide or wants to know why it was decided.

import { formatDuration } from '../../../base/duration.ts';
import type { GateEvidence, GateVerdict, LatencyEvidence, ReleaseEvidence } from './evidence.ts';
import type { Suspicion } from './leading.ts';

/** A few sentences, one per line: the verdict, both releases, what earned it, and what would change it. */
export function explain({ outcome, reason, evidence }: GateVerdict): string {
  const lines = [
    headline(outcome, reason, evidence),
    `candidate: ${release(evidence.candidate)}`,
    `stable:    ${release(evidence.stable)}`,
    difference(evidence),
    against(evidence),
    inFavour(evidence),
    ...notes(evidence),
    outcome === 'inconclusive' ? outlook(evidence) : undefined,
  ];
  return lines.filter((line) => line !== undefined).join('\n');
}

function headline(outcome: GateVerdict['outcome'], reason: GateVerdict['reason'], evidence: GateEvidence): string {
  const { wealth, share } = evidence;
  const at = `at ${share / 100} % of traffic`;
  const odds = `an honest candidate reaches such evidence at most once in ${whole(wealth.needed)} deployments`;
  switch (reason) {
    case 'errors':
      return `fail: the candidate fails more requests than stable ${at} (${both(evidence, failed)}); ${odds}`;
    case 'latency':
      return `fail: the candidate is slower than stable ${at} (p50 and p95 ${both(evidence, slowest)}); ${odds}`;
    case 'complete':
      return `pass: the candidate is no worse than stable by more than the margins ${at}`;
    case 'no-stable':
      return `inconclusive: stable gets no traffic, so there is nothing to compare with`;
    case 'no-data':
      return `inconclusive: the ${evidence.candidate.requests === 0 ? 'candidate' : 'stable release'} has had no requests ${at}`;
    case 'split':
      return `inconclusive: the candidate gets ${percent(evidence.split.seen)} of requests instead of ${percent(evidence.split.configured)}, so the comparison cannot be trusted`;
    case 'undecided':
      return `${outcome}: not enough requests to decide ${at}`;
  }
}

function both({ candidate, stable }: GateEvidence, of: (evidence: ReleaseEvidence) => string): string {
  return `${of(candidate)} against ${of(stable)}`;
}

function failed({ errors, requests }: ReleaseEvidence): string {
  return `${whole(errors)} of ${whole(requests)}`;
}

function slowest({ p50, p95 }: ReleaseEvidence): string {
  return [p50, p95].map((value) => (value === undefined ? 'unknown' : milliseconds(value.valueMs))).join(' and ');
}

function release({ requests, errors, errorRate, errorRateInterval, p50, p95, p99 }: ReleaseEvidence): string {
  if (requests === 0) return 'no requests';
  const errorsOf = `${whole(errors)} of ${whole(requests)} requests failed, ${percent(errorRate)} (${percent(errorRateInterval.low)} to ${percent(errorRateInterval.high)})`;
  const slow = (
    [
      ['p50', p50],
      ['p95', p95],
      ['p99', p99],
    ] as const
  ).flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${latency(value)}`]));
  return [errorsOf, ...slow].join(', ');
}

function latency({ valueMs, lowMs, highMs }: LatencyEvidence): string {
  const high = highMs === undefined ? 'unknown' : milliseconds(highMs);
  return `${milliseconds(valueMs)} (${milliseconds(lowMs)} to ${high})`;
}

function difference({ difference: { low, high } }: GateEvidence): string {
  if (low === -1 && high === 1) return 'difference of error rates: not known yet';
  const from = low === -1 ? 'at most' : `between ${points(low)} and`;
  return high === 1
    ? `difference of error rates: at least ${points(low)}`
    : `difference of error rates: ${from} ${points(high)}`;
}

function against({ wealth, suspicion, badEvents }: GateEvidence): string {
  return (
    `evidence against: ${short(wealth.total)} of ${whole(wealth.needed)} ` +
    `(errors ${short(wealth.errors)}, latency ${short(wealth.latency)}, guard ${short(wealth.guard)}); ` +
    `${whole(badEvents)} failed requests; ${suspicion.wealth < 1 ? 'no suspicion stands out' : `most of it says that ${suspected(suspicion)}`}`
  );
}

function suspected(suspicion: Suspicion): string {
  switch (suspicion.kind) {
    case 'errors':
      return `the candidate fails about ${percent(suspicion.errorRate)} of its requests where stable fails ${percent(suspicion.stableErrorRate)}`;
    case 'guard':
      return `the candidate fails about ${percent(suspicion.errorRate)} of its requests, whatever stable does`;
    case 'slower':
      return `all requests of the candidate take about ${suspicion.factor.toFixed(2)} times as long`;
    case 'tail':
      return `${percent(suspicion.fraction)} of the candidate's requests are slower than stable's p${suspicion.quantile * 100}, where ${percent(1 - suspicion.quantile)} are normal`;
  }
}

function inFavour({ promotion, margins }: GateEvidence): string {
  const parts = (['errors', 'p95', 'p99'] as const).flatMap((metric) => {
    const log = promotion[metric];
    return log === undefined ? [] : [`${metric} ${log.toFixed(1)} (not worse by ${points(margins[metric])})`];
  });
  const each = parts.length > 1 ? 'needed of each' : 'needed';
  const unseen = promotion.p95 === undefined ? '; latencies are not compared' : '';
  return `evidence for passing, ${promotion.needed.toFixed(1)} ${each}: ${parts.join(', ')}${unseen}`;
}

function notes({ burst, warmUpLeftMs, lost }: GateEvidence): string[] {
  const greatest = Math.max(burst.errors, burst.latency);
  return [
    ...(greatest > 1
      ? [`stable fails or stalls in bursts of about ${greatest.toFixed(1)}; evidence is divided by that`]
      : []),
    ...(warmUpLeftMs > 0
      ? [`latency does not count against the candidate for another ${formatDuration(warmUpLeftMs)}`]
      : []),
    ...(lost > 0 ? [`${whole(lost)} requests were not seen because the feed was too fast`] : []),
  ];
}

function outlook({ outlook: next }: GateEvidence): string {
  const out = next.failuresToFail === undefined ? 'more than 100' : whole(next.failuresToFail);
  const fail = `${out} further failed ${out === '1' ? 'request' : 'requests'} in a row would take the candidate out`;
  if (next.waitsFor === 'nothing' || next.requestsToPass === undefined) return fail;
  const time = next.passInMs === undefined ? '' : `, about ${formatDuration(next.passInMs)}`;
  return `${fail}; if it behaves like stable it passes after some ${whole(next.requestsToPass)} further requests${time} (waits for ${next.waitsFor})`;
}

/** 0.00123 → "0.12 %". */
export function percent(fraction: number): string {
  return `${trimmed(fraction * 100)} %`;
}

const points = (fraction: number): string => `${trimmed(fraction * 100)} points`;

const trimmed = (value: number): string =>
  String(Number(Math.abs(value) >= 10 ? value.toFixed(1) : value.toPrecision(2)));

const whole = (value: number): string => String(Math.round(value));

const short = (value: number): string => (value >= 1e6 ? 'over a million' : trimmed(value));

const milliseconds = (value: number): string =>
  value >= 1000 ? `${Number((value / 1000).toPrecision(3))} s` : `${Number(value.toPrecision(3))} ms`;
