// Judges checks on the evidence of a hold: limits of the candidate alone, limits against stable over the same time, answers of metric sources.

import { assessQuery, type QueryReadings } from './assess-query.ts';
import type { GateCheck, GateMetric, SampleCheck } from './check.ts';
import type { GateVerdict } from './statistics/evidence.ts';
import { explain } from './statistics/explain.ts';
import { asVerdict, statisticalCheck } from './statistics/verdict.ts';
import { evidenceOf, type Window } from './window.ts';
import { errorRate, type Judgement, type Outcome, type ReleaseEvidence, type Verdict } from './verdict.ts';

export interface Evidence {
  readonly candidate: ReleaseEvidence;
  readonly stable?: ReleaseEvidence | undefined;
  /** How long the evidence was gathered, milliseconds. */
  readonly durationMs: number;
}

/** More than this share of samples lost makes a passing judgement inconclusive: what is missing may be what matters. */
const bearableLoss = 0.01;

/** What the checks of a hold judge. */
export interface Seen {
  readonly window: Window;
  /** What the statistical gate says; undefined while the candidate has had no traffic. */
  readonly statistics?: GateVerdict | undefined;
  /** Whether the counters that feed it can be judged, where counters do. */
  readonly counts?: Verdict | undefined;
  /** The newest answers to the questions among the checks, by name. */
  readonly readings?: QueryReadings | undefined;
}

/**
 * The judgement of all checks together: failures fail when their weights add up to 1 or more, and less than that, or an open question,
 * leaves it open.
 */
export function judge(checks: readonly GateCheck[], seen: Seen, now: number): Judgement {
  const { window, statistics, counts } = seen;
  const candidate = evidenceOf(window, 'candidate');
  const stable = window.stable === undefined ? undefined : evidenceOf(window, 'stable');
  const evidence: Evidence = { candidate, stable, durationMs: Math.max(0, now - window.startedAt) };
  const verdicts = checks.flatMap((check) => {
    if (check.kind === 'statistical') return [assessStatistics(statistics), ...(counts === undefined ? [] : [counts])];
    if (check.kind === 'query') return assessQuery(check, seen.readings?.get(check.name) ?? [], now);
    return assess(check, evidence);
  });
  const requests = candidate.requests + (stable?.requests ?? 0);
  if (window.lost > bearableLoss * (requests + window.lost)) verdicts.push(lossVerdict(window.lost, requests));
  return {
    outcome: together(verdicts),
    verdicts,
    candidate,
    ...(stable === undefined ? {} : { stable }),
    lost: window.lost,
    ...(statistics === undefined
      ? {}
      : { statistics: { words: explain(statistics).split('\n'), evidence: statistics.evidence } }),
  };
}

function assessStatistics(statistics: GateVerdict | undefined): Verdict {
  if (statistics?.reason === 'no-stable' && statistics.evidence.candidate.requests > 0) return aloneVerdict(statistics);
  if (statistics !== undefined) return asVerdict(statistics);
  return { check: statisticalCheck, outcome: 'inconclusive', reason: 'the candidate has had no requests', samples: 0 };
}

/** Behind a switch to all traffic only the guard can object; that it does not is all that can be asked. */
function aloneVerdict(statistics: GateVerdict): Verdict {
  const { candidate, guardRate } = statistics.evidence;
  const share = Number((guardRate * 100).toFixed(2));
  return {
    ...asVerdict(statistics),
    outcome: 'pass',
    reason: `nothing shows that more than ${share} % of its requests fail, ${candidate.errors} of ${candidate.requests} did`,
  };
}

function together(verdicts: readonly Verdict[]): Outcome {
  const counted = verdicts.filter((verdict) => verdict.weight !== 0 && verdict.outcome !== 'pass');
  const failed = counted.filter((verdict) => verdict.outcome === 'fail');
  // Weights are decimal fractions: 0.7 and 0.3 must be enough.
  if (failed.reduce((sum, verdict) => sum + (verdict.weight ?? 1), 0) >= 1 - 1e-9) return 'fail';
  return counted.length > 0 ? 'inconclusive' : 'pass';
}

function lossVerdict(lost: number, seen: number): Verdict {
  return {
    check: 'samples arrive',
    outcome: 'inconclusive',
    reason: `${lost} of ${seen + lost} samples were lost on the way`,
    value: lost,
    samples: seen,
  };
}

/** Judges one check. Too few samples, or nothing to compare with, is inconclusive. */
export function assess(check: SampleCheck, evidence: Evidence): Verdict {
  return check.kind === 'absolute' ? assessAbsolute(check, evidence) : assessRelative(check, evidence);
}

function assessAbsolute(check: Extract<SampleCheck, { kind: 'absolute' }>, evidence: Evidence): Verdict {
  const { candidate } = evidence;
  const name = `${metricNames[check.metric]} ${check.bound === 'max' ? 'at most' : 'at least'} ${valueText(check.metric, check.limit)}`;
  const value = metricOf(check.metric, candidate, evidence.durationMs);
  if (candidate.requests < check.minSamples || value === undefined) return tooFew(name, check, candidate.requests);
  const ok = check.bound === 'max' ? value <= check.limit : value >= check.limit;
  return {
    check: name,
    outcome: ok ? 'pass' : 'fail',
    reason: `${metricNames[check.metric]} is ${valueText(check.metric, value)} on ${candidate.requests} requests, allowed is ${name.slice(metricNames[check.metric].length + 1)}`,
    value,
    limit: check.limit,
    samples: candidate.requests,
  };
}

function assessRelative(check: Extract<SampleCheck, { kind: 'relative' }>, evidence: Evidence): Verdict {
  const { candidate, stable } = evidence;
  const name = `${metricNames[check.metric]} ${relativeWords(check)}`;
  const samples = Math.min(candidate.requests, stable?.requests ?? 0);
  const value = metricOf(check.metric, candidate, evidence.durationMs);
  const base = stable === undefined ? undefined : metricOf(check.metric, stable, evidence.durationMs);
  if (samples < check.minSamples || value === undefined || base === undefined) return tooFew(name, check, samples);
  // For availability worse is lower, for everything else worse is higher.
  const sign = check.metric === 'availability' ? -1 : 1;
  const limit = check.unit === 'points' ? base + sign * check.limit : base * (1 + sign * check.limit);
  return {
    check: name,
    outcome: sign * value <= sign * limit ? 'pass' : 'fail',
    reason: `${metricNames[check.metric]} is ${valueText(check.metric, value)} against ${valueText(check.metric, base)} of stable on ${candidate.requests} and ${stable?.requests ?? 0} requests, allowed is ${valueText(check.metric, limit)}`,
    value,
    limit,
    samples,
  };
}

function relativeWords(check: Extract<SampleCheck, { kind: 'relative' }>): string {
  const points = isRate(check.metric)
    ? `${Number((check.limit * 100).toFixed(3))} points`
    : valueText(check.metric, check.limit);
  const amount = check.unit === 'factor' ? percent(check.limit) : points;
  return `at most ${amount} worse than stable`;
}

function tooFew(name: string, check: SampleCheck, samples: number): Verdict {
  return {
    check: name,
    outcome: 'inconclusive',
    reason: `${metricNames[check.metric]}: ${samples} of at least ${check.minSamples} requests seen`,
    samples,
  };
}

export function metricOf(metric: GateMetric, evidence: ReleaseEvidence, durationMs: number): number | undefined {
  switch (metric) {
    case 'errorRate':
      return evidence.requests === 0 ? undefined : errorRate(evidence);
    case 'availability':
      return evidence.requests === 0 ? undefined : 1 - evidence.unanswered / evidence.requests;
    case 'p50':
    case 'p95':
    case 'p99':
      return evidence[metric];
    case 'requestRate':
      return durationMs === 0 ? undefined : (evidence.requests * 1000) / durationMs;
  }
}

export const metricNames: Readonly<Record<GateMetric, string>> = {
  errorRate: 'error rate',
  availability: 'availability',
  p50: 'p50',
  p95: 'p95',
  p99: 'p99',
  requestRate: 'request rate',
};

function isRate(metric: GateMetric): boolean {
  return metric === 'errorRate' || metric === 'availability';
}

/** `5 %`, `120 ms`, `12.5/s`. */
export function valueText(metric: GateMetric, value: number): string {
  if (isRate(metric)) return percent(value);
  if (metric === 'requestRate') return `${Number(value.toFixed(1))}/s`;
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ms`;
}

function percent(fraction: number): string {
  return `${Number((fraction * 100).toFixed(2))} %`;
}
