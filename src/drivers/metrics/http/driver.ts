// Asks a URL that answers with JSON, and takes one number out of the answer by its path.

import {
  countsNothing,
  type MetricOutcome,
  type MetricQuestion,
  noNumber,
  numberOutcome,
} from '../../../core/metrics/question.ts';
import { fill } from '../../../core/metrics/placeholders.ts';
import type { HttpSource } from '../../../core/metrics/source.ts';
import { type AskWeb, jsonOf, statusProblem } from '../../../core/metrics/web.ts';
import { atJsonPath, parseJsonPath } from '../../../core/validation/json-path.ts';
import { seenText } from '../../../core/validation/reason.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Metrics } from '../../../ports/metrics.ts';

export interface HttpMetricsOptions {
  readonly source: HttpSource;
  readonly ask: AskWeb;
  readonly clock: Clock;
}

export function createHttpMetrics({ source, ask, clock }: HttpMetricsOptions): Metrics {
  return {
    count: async () => countsNothing,
    read: async (question, signal) => {
      const url = fill(source.url, question.values, encodeURIComponent);
      if (!URL.canParse(url)) return noNumber('misconfigured', `${url} is not a URL`);
      const answer = await ask(source, new URL(url), signal);
      if (answer.kind === 'none') return answer;
      const json = statusProblem(answer) ?? jsonOf(answer);
      if ('kind' in json) return json;
      const found = numberAt(json.value, question, answer.secrets);
      return found.kind === 'none' ? found : (staleReason(json.value, question, source, clock.now()) ?? found);
    },
  };
}

/** Undefined: the path is none, or nothing is there. A value in the path is one step of it, whatever its characters. */
function valueAt(json: unknown, path: string, { values }: MetricQuestion): unknown {
  const steps = parseJsonPath(path);
  if (steps === undefined) return undefined;
  return atJsonPath(
    json,
    steps.map((step) => (typeof step === 'number' ? step : fill(step, values, (value) => value))),
  );
}

function numberAt(json: unknown, question: MetricQuestion, secrets: readonly string[]): MetricOutcome {
  const seen = valueAt(json, question.query, question);
  if (typeof seen === 'number') return numberOutcome(seen);
  if (seen === undefined || seen === null) return noNumber('empty', `there is nothing at ${question.query}`);
  if (Array.isArray(seen))
    return seen.length === 0
      ? noNumber('empty', `the list at ${question.query} is empty`)
      : noNumber('several', `at ${question.query} is a list; name one of its members, such as ${question.query}[0]`);
  return seen === 'NaN'
    ? noNumber('not-finite', `the answer is NaN`)
    : noNumber('not-a-number', `at ${question.query} is ${seenText(JSON.stringify(seen), secrets)}`);
}

/** Seconds and milliseconds since 1970 are told apart by their size. */
const firstMs = 100_000_000_000;

function staleReason(
  json: unknown,
  question: MetricQuestion,
  source: HttpSource,
  now: number,
): MetricOutcome | undefined {
  const { measuredAt } = question;
  if (measuredAt === undefined) return undefined;
  const seen = valueAt(json, measuredAt, question);
  const at = typeof seen === 'number' ? (seen < firstMs ? seen * 1000 : seen) : Date.parse(String(seen));
  if (Number.isNaN(at)) return noNumber('unreadable', `at ${measuredAt} is no time`);
  const ageMs = now - at;
  return ageMs > source.staleMs ? noNumber('stale', `it was measured ${Math.round(ageMs / 1000)} s ago`) : undefined;
}
