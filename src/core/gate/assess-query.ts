// Judges a question to a metric source by its newest answers: so many in a row must agree, and no answer is ever a good one.

import { isNoData, type MetricOutcome, type NoNumber, type NoNumberReason } from '../metrics/question.ts';
import type { QueryCheck } from './check.ts';
import type { Outcome, Verdict } from './verdict.ts';

/** What a question came to at one time. */
export interface QueryReading {
  /** Epoch milliseconds when the last of its answers was there. */
  readonly at: number;
  readonly value: MetricOutcome;
  /** How many samples the number stands on, where that is asked. */
  readonly samples?: MetricOutcome | undefined;
  /** The same question about stable, where that is asked. */
  readonly stable?: MetricOutcome | undefined;
}

/** Name of a check → its newest readings, the newest one last. */
export type QueryReadings = ReadonlyMap<string, readonly QueryReading[]>;

/** What one reading says by itself. */
interface Finding {
  readonly outcome: Outcome;
  readonly words: string;
  readonly value?: number | undefined;
  readonly limit?: number | undefined;
  readonly cause?: NoNumberReason | undefined;
}

/** Longest that one question may take; a reading that is older than two pauses and this was made by nobody lately. */
export const longestQuestionMs = 60_000;

/**
 * Fails, or passes, when the newest `points` readings all do. Everything else is inconclusive: no reading yet, too few, an old one, one
 * without a number, readings that differ.
 */
export function assessQuery(check: QueryCheck, readings: readonly QueryReading[], now: number): Verdict {
  const newest = readings.at(-1);
  if (newest === undefined) return verdict(check, 0, open('has not been asked yet'));
  if (now - newest.at > 2 * check.intervalMs + longestQuestionMs)
    return verdict(check, 0, open(`was last asked ${Math.round((now - newest.at) / 1000)} s ago`));
  const findings = readings.slice(-check.points).map((reading) => findingOf(check, reading));
  const last = findings.at(-1) ?? open('has not been asked yet');
  const alike = findings.filter(({ outcome }) => outcome === last.outcome).length;
  const agreed = last.outcome === 'inconclusive' || alike === check.points;
  const row = check.points > 1 && last.outcome !== 'inconclusive' ? inARow(findings, check.points) : '';
  const samples = newest.samples?.kind === 'number' ? newest.samples.value : alike;
  const { at: since } = readings.at(-alike) ?? newest;
  const found = verdict(check, samples, {
    ...last,
    words: last.words + row,
    outcome: agreed ? last.outcome : 'inconclusive',
  });
  return found.outcome === 'fail' ? { ...found, since } : found;
}

function inARow(findings: readonly Finding[], points: number): string {
  const last = findings.at(-1)?.outcome;
  const since = findings.findLastIndex(({ outcome }) => outcome !== last);
  return `, ${findings.length - 1 - since} of ${points} answers in a row`;
}

function verdict(check: QueryCheck, samples: number, finding: Finding): Verdict {
  const { outcome, words, value, limit, cause } = finding;
  return {
    check: queryWords(check),
    outcome,
    reason: `${check.name} ${words}`,
    ...(value === undefined ? {} : { value }),
    ...(limit === undefined ? {} : { limit }),
    samples,
    weight: check.weight,
    binding: true,
    ...(cause === undefined ? {} : { cause }),
  };
}

function open(words: string, cause?: NoNumberReason): Finding {
  return { outcome: 'inconclusive', words, ...(cause === undefined ? {} : { cause }) };
}

function findingOf(check: QueryCheck, { value, samples, stable }: QueryReading): Finding {
  if (value.kind === 'none') return withoutNumber(check, value);
  if (check.samples !== undefined) {
    if (samples?.kind !== 'number')
      return open(`has no number of samples: ${wordsOf(check, samples)}`, samples?.reason);
    if (samples.value < check.minSamples)
      return open(`stands on ${numberText(samples.value)} of at least ${check.minSamples} samples`);
  }
  const broken = brokenLimit(check, value.value);
  if (broken !== undefined) return { outcome: 'fail', value: value.value, ...broken };
  if (check.worseThanStable === undefined) return inside(check, value.value);
  if (stable?.kind !== 'number')
    return open(`cannot be compared with stable: ${wordsOf(check, stable)}`, stable?.reason);
  return compared(value.value, stable.value, check.worseThanStable);
}

/** Only a source that works and has nothing to say speaks of the release, and only where the configuration says so. */
function withoutNumber(check: QueryCheck, none: NoNumber): Finding {
  const failing = check.noData === 'fail' && isNoData(none);
  return {
    outcome: failing ? 'fail' : 'inconclusive',
    words: `has no number: ${wordsOf(check, none)}`,
    cause: none.reason,
  };
}

function wordsOf(check: QueryCheck, outcome: MetricOutcome | undefined): string {
  return outcome?.kind === 'none' ? `${outcome.reason}: ${outcome.words} (${check.source})` : 'it was not asked';
}

function brokenLimit(
  { max, min }: QueryCheck,
  value: number,
): { readonly words: string; readonly limit: number } | undefined {
  if (max !== undefined && value > max)
    return { words: `is ${numberText(value)}, allowed is at most ${numberText(max)}`, limit: max };
  if (min !== undefined && value < min)
    return { words: `is ${numberText(value)}, allowed is at least ${numberText(min)}`, limit: min };
  return undefined;
}

function inside(check: QueryCheck, value: number): Finding {
  const limit = check.max ?? check.min;
  return { outcome: 'pass', value, limit, words: `is ${numberText(value)}, allowed is ${limitWords(check)}` };
}

function compared(value: number, stable: number, worse: number): Finding {
  const limit = stable + Math.abs(stable) * worse;
  const words = `is ${numberText(value)} against ${numberText(stable)} of stable, allowed is at most ${numberText(limit)}`;
  return { outcome: value <= limit ? 'pass' : 'fail', value, limit, words };
}

/** `queue depth: at most 100`, `heap: at most 20 % above stable’s`. */
export function queryWords(check: QueryCheck): string {
  return `${check.name}: ${limitWords(check)}`;
}

function limitWords({ max, min, worseThanStable }: QueryCheck): string {
  const parts: string[] = [];
  if (max !== undefined && max === min) parts.push(`exactly ${numberText(max)}`);
  else {
    if (min !== undefined) parts.push(`at least ${numberText(min)}`);
    if (max !== undefined) parts.push(`at most ${numberText(max)}`);
  }
  if (worseThanStable !== undefined) parts.push(`at most ${numberText(worseThanStable * 100)} % above stable’s`);
  return parts.join(', ');
}

/** Six digits are enough for people; the evidence keeps them all. */
function numberText(value: number): string {
  return String(Number(value.toPrecision(6)));
}
