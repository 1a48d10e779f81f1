// Asks the questions among checks once, before anything depends on them: a source that cannot be asked is told of before a deployment begins.

import { Failure } from '../base/failure.ts';
import type { CounterFeed, GateCheck } from '../core/gate/check.ts';
import { isUnusable, type MetricQuestion, type NoNumber, noNumber } from '../core/metrics/question.ts';
import { sourceWords } from '../core/metrics/source.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import type { ReleaseId } from '../core/release.ts';
import type { Scope } from '../core/scope.ts';
import { cutReason } from '../core/validation/reason.ts';
import type { CheckOutcome } from '../core/validation/check.ts';
import type { Metrics } from '../ports/metrics.ts';
import type { Dependencies } from './dependencies.ts';

/** What one question of a check came to. */
interface AskedQuery {
  /** `query failed orders`, `query failed orders, samples`, `counters`. */
  readonly name: string;
  /** Where it stands in an environment. */
  readonly at: string;
  /** Where it was asked, in words. */
  readonly place: string;
  /** What the answer is in words, or why there is none. */
  readonly outcome: string | NoNumber;
  readonly durationMs: number;
}

interface Question {
  readonly name: string;
  readonly at: string;
  readonly source: string;
  readonly ask: (metrics: Metrics) => Promise<string | NoNumber>;
}

/** Side by side, in the order of the checks. Rejects only when `signal` aborts. */
export async function checkQueries(
  deps: Pick<Dependencies, 'metrics' | 'clock'>,
  spec: DeploySpec,
  checks: readonly GateCheck[],
  release: ReleaseId,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly AskedQuery[]> {
  const about = { scope: spec.scope, release, signal };
  return Promise.all(
    checks
      .flatMap((check) => questionsOf(check, about))
      .map(async ({ name, at, source: sourceName, ask }): Promise<AskedQuery> => {
        const source = spec.metrics?.[sourceName];
        const begun = deps.clock.now();
        const outcome =
          source === undefined
            ? noNumber('misconfigured', `there is no source ${sourceName}`)
            : await ask(deps.metrics(source));
        const place = source === undefined ? sourceName : `${sourceName} (${sourceWords(source)})`;
        return { name, at, place, outcome, durationMs: deps.clock.now() - begun };
      }),
  );
}

interface About {
  readonly scope: Scope;
  readonly release: ReleaseId;
  readonly signal: AbortSignal;
}

function questionsOf(check: GateCheck, about: About): readonly Question[] {
  if (check.kind === 'statistical' && check.counters !== undefined) return [counterQuestion(check.counters, about)];
  if (check.kind !== 'query') return [];
  const { scope, release, signal } = about;
  const { name, source } = check;
  const values = { ...scope, release, windowSeconds: Math.max(1, Math.floor(check.windowMs / 1000)) };
  const ask =
    (question: Pick<MetricQuestion, 'query' | 'measuredAt'>): Question['ask'] =>
    async (metrics) => {
      const outcome = await metrics.read({ ...question, values }, signal);
      return outcome.kind === 'number' ? `${outcome.value}` : outcome;
    };
  const at = 'gates.queries';
  const number = { name: `query ${name}`, at, source, ask: ask(check) };
  return check.samples === undefined
    ? [number]
    : [number, { name: `query ${name}, samples`, at, source, ask: ask({ query: check.samples }) }];
}

function counterQuestion({ source, selection }: CounterFeed, { scope, release, signal }: About): Question {
  const ask: Question['ask'] = async (metrics) => {
    const outcome = await metrics.count({ selection, scope, stable: release }, undefined, signal);
    if (outcome.kind === 'none') return outcome;
    const counted = Object.values(outcome.readings[0]?.stable ?? {});
    const [requests, errors] = (['requests', 'errors'] as const).map((part) =>
      counted.reduce((total, each) => total + each[part], 0),
    );
    return `${requests} requests, ${errors} of them failed, counted by instances: ${counted.length}`;
  };
  return { name: 'counters', at: 'gates.compare.counters', source, ask };
}

/**
 * Asks what a plan will depend on. Rejects with `metrics.unreachable` or `metrics.refused` where that cannot work; having no data yet is
 * no reason.
 */
export async function askFirst(deps: Pick<Dependencies, 'metrics' | 'clock'>, plan: Plan): Promise<void> {
  const checks = plan.steps.flatMap(({ step }) => (step.kind === 'hold' ? step.checks : []));
  const each = [...new Map(checks.map((check) => [check.kind === 'query' ? check.name : check.kind, check])).values()];
  refuseUnusable(await checkQueries(deps, plan.spec, each, plan.candidate.id));
}

function refuseUnusable(asked: readonly AskedQuery[]): void {
  const bad = asked.filter(isBad);
  const [first] = bad;
  if (first === undefined) return;
  const passing = bad.every(
    ({ outcome }) => typeof outcome !== 'string' && ['unreachable', 'timed-out', 'failed'].includes(outcome.reason),
  );
  throw new Failure(
    passing ? 'metrics.unreachable' : 'metrics.refused',
    cutReason(`the gates cannot be judged: ${bad.map((each) => `${each.name}: ${reasonOf(each)}`).join('; ')}`),
    {
      at: first.at,
      remedy: passing
        ? `Mend ${first.place}, or take what asks it out of \`${first.at}\` for this deployment.`
        : 'Correct the query or the source; `sluice validate` asks again at any time.',
    },
  );
}

/** As `sluice validate` tells it. */
export function outcomeOf(asked: AskedQuery): CheckOutcome {
  const { name, durationMs } = asked;
  return { name, passed: !isBad(asked), attempts: 1, durationMs, reason: cutReason(reasonOf(asked)) };
}

function isBad({ outcome }: AskedQuery): boolean {
  return typeof outcome !== 'string' && isUnusable(outcome);
}

function reasonOf({ outcome, place }: AskedQuery): string {
  return typeof outcome === 'string' ? `${outcome} at ${place}` : `${outcome.reason}: ${outcome.words}, at ${place}`;
}
