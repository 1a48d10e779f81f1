// Asks the HTTP API of a Prometheus, or of anything that speaks it, for one number now.

import type { CountedInstances, CounterReading } from '../../../core/metrics/counter-reading.ts';
import {
  type CounterOutcome,
  type CounterPast,
  counterQuery,
  type CounterSelection,
} from '../../../core/metrics/counters.ts';
import { type MetricOutcome, type MetricQuestion, type NoNumber, noNumber } from '../../../core/metrics/question.ts';
import { fillPromql, promqlProblem } from '../../../core/metrics/promql.ts';
import type { PrometheusSource } from '../../../core/metrics/source.ts';
import type { AskWeb } from '../../../core/metrics/web.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Metrics } from '../../../ports/metrics.ts';
import { readCounted } from './counted.ts';
import { readReply, type Reply } from './reply.ts';

export interface PrometheusOptions {
  readonly source: PrometheusSource;
  readonly ask: AskWeb;
  readonly clock: Clock;
}

export function createPrometheusMetrics({ source, ask, clock }: PrometheusOptions): Metrics {
  const put = async (query: string, signal: AbortSignal): Promise<Reply> => {
    const answer = await ask(source, questionAt(source, 'query', { query }), signal);
    return answer.kind === 'none' ? { outcome: answer } : readReply(answer);
  };
  return {
    read: async (question, signal) => {
      const problem = problemOf(question);
      if (problem !== undefined) return noNumber('refused', problem);
      const { query, measuredAt, values } = question;
      const [reply, measured] = await Promise.all([
        put(fillPromql(query, values), signal),
        measuredAt === undefined ? undefined : put(`min(timestamp(${fillPromql(measuredAt, values)}))`, signal),
      ]);
      if (reply.outcome.kind === 'none') return reply.outcome;
      return staleReason(source, reply, measured, clock.now()) ?? reply.outcome;
    },
    count: async (question, past, signal) => {
      const problem = selectionProblem(question.selection);
      if (problem !== undefined) return noNumber('refused', problem);
      const query = counterQuery(question);
      const sentAt = clock.now();
      const url =
        past === undefined ? questionAt(source, 'query', { query }) : pastQuestion(source, query, past, clock.now());
      const answer = await ask(source, url, signal);
      if (answer.kind === 'none') return answer;
      const outcome = readCounted(answer, question.selection);
      return outcome.kind === 'none' || past !== undefined ? outcome : newest(source, outcome.readings, sentAt);
    },
  };
}

function questionAt(
  source: PrometheusSource,
  kind: 'query' | 'query_range',
  parameters: Readonly<Record<string, string | number>>,
): URL {
  const url = new URL(`${source.url.replace(/\/+$/, '')}/api/v1/${kind}`);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, String(value));
  // The server gives up by itself a little before nobody waits for it any more.
  url.searchParams.set('timeout', `${Math.max(1, Math.floor(source.withinMs * 0.9))}ms`);
  return url;
}

function pastQuestion(source: PrometheusSource, query: string, { fromMs, stepMs }: CounterPast, now: number): URL {
  return questionAt(source, 'query_range', {
    query,
    start: (now - fromMs) / 1000,
    end: now / 1000,
    step: stepMs / 1000,
  });
}

/**
 * The one reading there is. Times of a server whose clock is ahead are moved back to this machine's; what seems old stays old, because it
 * may be: an answer out of a cache, or one that was long on its way.
 */
function newest(source: PrometheusSource, readings: readonly CounterReading[], sentAt: number): CounterOutcome {
  const [reading = { at: sentAt, candidate: {}, stable: {}, bounds: { candidate: [], stable: [] } }] = readings;
  if (sentAt - reading.at > source.staleMs) return staleAnswer(sentAt - reading.at);
  const movedMs = Math.min(0, sentAt - reading.at);
  const here = (instances: CountedInstances): CountedInstances =>
    Object.fromEntries(
      Object.entries(instances).map(([name, counted]) => [name, { ...counted, at: counted.at + movedMs }]),
    );
  const moved = { ...reading, at: sentAt, candidate: here(reading.candidate), stable: here(reading.stable) };
  return { kind: 'counted', readings: [moved] };
}

function selectionProblem({ requests, errors, buckets = '' }: CounterSelection): string | undefined {
  const found = [requests, errors, buckets].map((text) => promqlProblem(text)).find((each) => each !== undefined);
  return found === undefined ? undefined : `the query ${found.problem}`;
}

function problemOf({ query, measuredAt = '' }: MetricQuestion): string | undefined {
  const found = promqlProblem(query) ?? promqlProblem(measuredAt);
  return found === undefined ? undefined : `the query ${found.problem}`;
}

/** A server, or a cache before it, that lives in the past, or a series that was measured long ago. */
function staleReason(
  source: PrometheusSource,
  reply: Reply,
  measured: Reply | undefined,
  now: number,
): MetricOutcome | undefined {
  const { evaluatedAt = now } = reply;
  if (now - evaluatedAt > source.staleMs) return staleAnswer(now - evaluatedAt);
  if (measured === undefined) return undefined;
  const { outcome } = measured;
  if (outcome.kind === 'none') return { ...outcome, words: `when it was measured is not known: ${outcome.words}` };
  const ageMs = evaluatedAt - outcome.value * 1000;
  return ageMs > source.staleMs ? noNumber('stale', `a series was measured ${seconds(ageMs)} s ago`) : undefined;
}

function staleAnswer(ageMs: number): NoNumber {
  return noNumber('stale', `the answer is of ${seconds(ageMs)} s ago, by this machine’s clock`);
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
