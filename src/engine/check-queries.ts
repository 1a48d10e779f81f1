// Asks the questions among checks once, before anything depends on them: a source that cannot be asked is told of before a deployment begins.

import { Failure } from '../base/failure.ts';
import type { GateCheck, QueryCheck } from '../core/gate/check.ts';
import { isUnusable, type MetricOutcome, noNumber } from '../core/metrics/question.ts';
import { sourceWords } from '../core/metrics/source.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import type { ReleaseId } from '../core/release.ts';
import { cutReason } from '../core/validation/reason.ts';
import type { CheckOutcome } from '../core/validation/check.ts';
import type { Dependencies } from './dependencies.ts';

/** What one question of a check came to. */
interface AskedQuery {
  readonly check: QueryCheck;
  /** The number, or what it stands on, is asked. */
  readonly asks: 'the number' | 'the samples';
  /** Where it was asked, in words. */
  readonly place: string;
  readonly outcome: MetricOutcome;
  readonly durationMs: number;
}

/** Side by side, in the order of the checks. Rejects only when `signal` aborts. */
export async function checkQueries(
  deps: Pick<Dependencies, 'metrics' | 'clock'>,
  spec: DeploySpec,
  checks: readonly GateCheck[],
  release: ReleaseId,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly AskedQuery[]> {
  const questions = checks.flatMap((check) => {
    if (check.kind !== 'query') return [];
    const number = { check, asks: 'the number', query: check.query, measuredAt: check.measuredAt } as const;
    return check.samples === undefined
      ? [number]
      : [number, { check, asks: 'the samples', query: check.samples } as const];
  });
  return Promise.all(
    questions.map(async ({ check, asks, ...question }): Promise<AskedQuery> => {
      const source = spec.metrics?.[check.source];
      const windowSeconds = Math.max(1, Math.floor(check.windowMs / 1000));
      const begun = deps.clock.now();
      const outcome =
        source === undefined
          ? noNumber('misconfigured', `there is no source ${check.source}`)
          : await deps.metrics(source).read({ ...question, values: { ...spec.scope, release, windowSeconds } }, signal);
      const place = source === undefined ? check.source : `${check.source} (${sourceWords(source)})`;
      return { check, asks, place, outcome, durationMs: deps.clock.now() - begun };
    }),
  );
}

/**
 * Asks what a plan will depend on. Rejects with `metrics.unreachable` or `metrics.refused` where that cannot work; having no data yet is
 * no reason.
 */
export async function askFirst(deps: Pick<Dependencies, 'metrics' | 'clock'>, plan: Plan): Promise<void> {
  const checks = plan.steps.flatMap(({ step }) => (step.kind === 'hold' ? step.checks : []));
  const queries = checks.filter((check) => check.kind === 'query');
  const each = [...new Map(queries.map((check) => [check.name, check])).values()];
  refuseUnusable(await checkQueries(deps, plan.spec, each, plan.candidate.id));
}

function refuseUnusable(asked: readonly AskedQuery[]): void {
  const bad = asked.filter(({ outcome }) => isUnusable(outcome));
  const [first] = bad;
  if (first === undefined) return;
  const passing = bad.every(
    ({ outcome }) => outcome.kind === 'none' && ['unreachable', 'timed-out', 'failed'].includes(outcome.reason),
  );
  throw new Failure(
    passing ? 'metrics.unreachable' : 'metrics.refused',
    cutReason(`the gates cannot be judged: ${bad.map((each) => `${each.check.name}: ${reasonOf(each)}`).join('; ')}`),
    {
      at: 'gates.queries',
      remedy: passing
        ? `Mend ${first.place}, or take its queries out of \`gates.queries\` for this deployment.`
        : 'Correct the query or the source; `sluice validate` asks again at any time.',
    },
  );
}

/** As `sluice validate` tells it. */
export function outcomeOf(asked: AskedQuery): CheckOutcome {
  const { check, asks, outcome, durationMs } = asked;
  return {
    name: asks === 'the number' ? `query ${check.name}` : `query ${check.name}, samples`,
    passed: !isUnusable(outcome),
    attempts: 1,
    durationMs,
    reason: cutReason(reasonOf(asked)),
  };
}

function reasonOf({ outcome, place }: AskedQuery): string {
  return outcome.kind === 'number'
    ? `${outcome.value} at ${place}`
    : `${outcome.reason}: ${outcome.words}, at ${place}`;
}
