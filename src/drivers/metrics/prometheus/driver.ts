// Asks the HTTP API of a Prometheus, or of anything that speaks it, for one number now.

import { type MetricOutcome, type MetricQuestion, noNumber } from '../../../core/metrics/question.ts';
import { fillPromql, promqlProblem } from '../../../core/metrics/promql.ts';
import type { PrometheusSource } from '../../../core/metrics/source.ts';
import type { AskWeb } from '../../../core/metrics/web.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Metrics } from '../../../ports/metrics.ts';
import { readReply, type Reply } from './reply.ts';

export interface PrometheusOptions {
  readonly source: PrometheusSource;
  readonly ask: AskWeb;
  readonly clock: Clock;
}

export function createPrometheusMetrics({ source, ask, clock }: PrometheusOptions): Metrics {
  const put = async (query: string, signal: AbortSignal): Promise<Reply> => {
    const url = new URL(`${source.url.replace(/\/+$/, '')}/api/v1/query`);
    url.searchParams.set('query', query);
    // The server gives up by itself a little before nobody waits for it any more.
    url.searchParams.set('timeout', `${Math.max(1, Math.floor(source.withinMs * 0.9))}ms`);
    const answer = await ask(source, url, signal);
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
  };
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
  if (now - evaluatedAt > source.staleMs)
    return noNumber('stale', `the answer is of ${seconds(now - evaluatedAt)} s ago, by this machine’s clock`);
  if (measured === undefined) return undefined;
  const { outcome } = measured;
  if (outcome.kind === 'none') return { ...outcome, words: `when it was measured is not known: ${outcome.words}` };
  const ageMs = evaluatedAt - outcome.value * 1000;
  return ageMs > source.staleMs ? noNumber('stale', `a series was measured ${seconds(ageMs)} s ago`) : undefined;
}

function seconds(ms: number): number {
  return Math.round(ms / 1000);
}
