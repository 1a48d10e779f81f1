// The figures of the switch benchmark, and whether they reach the goals.

import type { InstanceRecord } from '../../load/protocol.ts';
import type { LoadReport } from '../../load/report.ts';
import { type Act, lastSentAfter, type Outcome } from '../../load/scenario.ts';

const lastSentGoalMs = 50;
const waysBackGoal = 10;

/** One way back: milliseconds to the last request that was sent to the release that was left. */
export interface SwitchTime {
  readonly kind: Act['kind'];
  /** Since the decision was recorded; undefined when an instance did not say. */
  readonly afterDecisionMs: number | undefined;
  /** Since the command was sent; undefined for a gate. */
  readonly afterCommandMs: number | undefined;
}

export function timesOf(outcomes: readonly Outcome[], records: readonly InstanceRecord[]): readonly SwitchTime[] {
  return outcomes
    .filter(({ decidedAt }) => decidedAt !== undefined)
    .map((outcome) => {
      const afterDecisionMs = lastSentAfter(outcome, records);
      const { decidedAt = 0, askedAt } = outcome;
      const afterCommandMs =
        askedAt === undefined || afterDecisionMs === undefined ? undefined : afterDecisionMs + decidedAt - askedAt;
      return { kind: outcome.act.kind, afterDecisionMs, afterCommandMs };
    });
}

export function printOutcome({ act, rollout }: Outcome, atSeconds: number): void {
  const what = act.kind === 'deploy' ? `${act.strategy} × ${act.instances}` : act.kind;
  const took = ((rollout.endedAt ?? rollout.at) - rollout.createdAt) / 1000;
  console.log(
    `${atSeconds.toFixed(1).padStart(6)} s  ${what.padEnd(14)} ${rollout.status.padEnd(12)} took ${took.toFixed(1)} s`,
  );
}

export function printTimes(times: readonly SwitchTime[]): void {
  console.log('\nFrom the decision to the last request sent to the release that was left, ms:');
  for (const kind of ['rollback', 'abort', 'gate'] as const)
    printRow(
      kind,
      times.filter((time) => time.kind === kind),
    );
  printRow('all', times);
}

function printRow(name: string, times: readonly SwitchTime[]): void {
  const known = times.map((time) => time.afterDecisionMs).filter((ms) => ms !== undefined);
  const asked = times.map((time) => time.afterCommandMs).filter((ms) => ms !== undefined);
  const since =
    asked.length === 0 ? '' : `   since the command was sent: p50 ${quantile(asked, 0.5)}  max ${quantile(asked, 1)}`;
  console.log(
    `  ${name.padEnd(9)} n ${String(times.length).padStart(3)}  p50 ${quantile(known, 0.5)}  p99 ${quantile(known, 0.99)}  max ${quantile(known, 1)}${since}`,
  );
}

/** The smallest value that at least this share of all values does not exceed; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export interface Goal {
  readonly met: boolean;
  readonly text: string;
}

export function goalsOf(
  report: LoadReport,
  outcomes: readonly Outcome[],
  times: readonly SwitchTime[],
  requestsGoal: number,
): readonly Goal[] {
  const p99 = quantile(
    times.map((time) => time.afterDecisionMs ?? Number.POSITIVE_INFINITY),
    0.99,
  );
  const waysBack = outcomes.filter(({ act }) => act.kind !== 'deploy').length;
  const goal = (met: boolean, text: string): Goal => ({ met, text });
  return [
    goal(report.requests >= requestsGoal, `requests: ${report.requests} (goal: at least ${requestsGoal})`),
    goal(
      waysBack >= waysBackGoal,
      `deployments: ${outcomes.length - waysBack}, ways back: ${waysBack} (goal: at least ${waysBackGoal})`,
    ),
    goal(report.failed === 0, `failed requests: ${report.failed} (goal: 0)`),
    goal(
      report.cut === 0,
      `streams cut before the drain limit: ${report.cut} of ${report.streams + report.cut} (goal: 0)`,
    ),
    goal(
      p99 <= lastSentGoalMs,
      `from the decision to the last request sent, p99: ${p99} ms (goal: at most ${lastSentGoalMs} ms)`,
    ),
  ];
}

/** Whether all are met. */
export function printGoals(goals: readonly Goal[], report: LoadReport): boolean {
  console.log(
    `\nlongest time without a served request: ${report.longestGapMs} ms (the generator itself stood still for up to ${report.longestStallMs} ms)`,
  );
  console.log(
    `errors that bad releases were allowed to serve: ${report.deliberate}; connections closed between requests: ${report.reconnects}\n`,
  );
  for (const { met, text } of goals) console.log(`${met ? 'met   ' : 'MISSED'}  ${text}`);
  for (const { at, kind, problem, after, instance } of report.failures) {
    console.log(
      `  ${new Date(at).toISOString()} ${kind} after ${after} ms at ${instance ?? 'no instance'}: ${problem}`,
    );
  }
  return goals.every(({ met }) => met);
}
