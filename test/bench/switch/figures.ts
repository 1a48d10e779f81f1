// The figures of the switch benchmark, and whether they reach the goals.

import type { InstanceRecord } from '../../load/protocol.ts';
import type { LoadReport } from '../../load/report.ts';
import type { Act, Outcome } from '../../load/scenario.ts';
import type { Sent } from '../../load/sent-requests.ts';

/** Two answers to users may be so far apart, over all connections; the generator's own pauses are taken off. */
const gapGoalMs = 100;
const waysBackGoal = 10;

/** One way back: milliseconds from the decision, as it was recorded, to the last request to the release that was left. */
export interface SwitchTime {
  readonly kind: Act['kind'];
  /** By the router, which sends them, or as they arrive where it cannot be asked; 0 where none came after the decision, NaN where that cannot be told. */
  readonly sentMs: number;
  /** By the instances, which take them: what waited there for a processor comes on top. NaN where one has not said what it saw. */
  readonly arrivedMs: number;
  /** How long before the record the command was given; undefined for a gate. */
  readonly askedMs: number | undefined;
}

export function timesOf(
  outcomes: readonly Outcome[],
  sent: Sent | undefined,
  records: readonly InstanceRecord[],
): readonly SwitchTime[] {
  return outcomes.flatMap(({ act, rollout, decidedAt, askedAt, left }) => {
    if (decidedAt === undefined || left === undefined) return [];
    const until = rollout.endedAt ?? rollout.at;
    const arrivedMs = lastArrival(left, records, decidedAt, until) - decidedAt;
    return {
      kind: act.kind,
      sentMs: sent === undefined ? arrivedMs : (sent.lastBetween(left, decidedAt, until) ?? decidedAt) - decidedAt,
      arrivedMs,
      askedMs: askedAt === undefined ? undefined : decidedAt - askedAt,
    };
  });
}

function lastArrival(
  left: { readonly version: string; readonly instances: number },
  records: readonly InstanceRecord[],
  from: number,
  to: number,
): number {
  const ours = records.filter(({ version }) => version === left.version);
  if (ours.length < left.instances) return Number.NaN;
  return ours
    .flatMap(({ arrivals }) => arrivals.filter((at) => at >= from && at <= to))
    .reduce((last, at) => Math.max(last, at), from);
}

export function printOutcome({ act, rollout }: Outcome, atSeconds: number): void {
  const took = ((rollout.endedAt ?? rollout.at) - rollout.createdAt) / 1000;
  console.log(
    `${atSeconds.toFixed(1).padStart(6)} s  ${wordsOf(act).padEnd(17)} ${rollout.status.padEnd(12)} took ${took.toFixed(1)} s`,
  );
}

function wordsOf(act: Act): string {
  switch (act.kind) {
    case 'deploy':
      return `${act.strategy} × ${act.instances}`;
    case 'scale':
      return `scale to ${act.instances}`;
    case 'abort':
      return `abort ${act.strategy}`;
    case 'rollback':
    case 'gate':
      return act.kind;
  }
}

export function printTimes(times: readonly SwitchTime[]): void {
  console.log('\nFrom the recorded decision to the last request to the release that was left, in ms:');
  for (const kind of ['rollback', 'abort', 'gate'] as const) {
    printRow(
      kind,
      times.filter((time) => time.kind === kind),
    );
  }
  printRow('all', times);
}

function printRow(name: string, times: readonly SwitchTime[]): void {
  const asked = times.map((time) => time.askedMs).filter((ms) => ms !== undefined);
  console.log(
    `  ${name.padEnd(9)} n ${String(times.length).padStart(3)}   sent by the proxy: ${spread(times.map((time) => time.sentMs))}` +
      `   come to the instance: ${spread(times.map((time) => time.arrivedMs))}` +
      (asked.length === 0 ? '' : `   command to record: ${spread(asked)}`),
  );
}

function spread(values: readonly number[]): string {
  const at = (share: number): string => quantile(values, share).toFixed(0);
  return `p50 ${at(0.5)} p99 ${at(0.99)} max ${at(1)}`;
}

/** The smallest value that at least this share of all values does not exceed; NaN of none, and where one is not known. */
export function quantile(values: readonly number[], share: number): number {
  if (values.some((value) => Number.isNaN(value))) return Number.NaN;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

export interface Goal {
  readonly met: boolean;
  readonly text: string;
}

export interface Measured {
  readonly report: LoadReport;
  readonly outcomes: readonly Outcome[];
  readonly times: readonly SwitchTime[];
  readonly requestsGoal: number;
  readonly switchGoalMs: number;
}

export function goalsOf({ report, outcomes, times, requestsGoal, switchGoalMs }: Measured): readonly Goal[] {
  const p99 = quantile(
    times.map((time) => time.sentMs),
    0.99,
  );
  const waysBack = outcomes.filter(({ act }) => act.kind !== 'deploy' && act.kind !== 'scale').length;
  const goal = (met: boolean, text: string): Goal => ({ met, text });
  return [
    goal(report.requests >= requestsGoal, `requests: ${report.requests} (goal: at least ${requestsGoal})`),
    goal(
      waysBack >= waysBackGoal,
      `deployments that stayed: ${outcomes.length - waysBack}, ways back: ${waysBack} (goal: at least ${waysBackGoal})`,
    ),
    goal(report.failed === 0, `failed requests: ${report.failed} (goal: 0)`),
    goal(
      report.cut === 0,
      `streams cut before the drain limit: ${report.cut} of ${report.streams + report.cut} (goal: 0)`,
    ),
    goal(
      p99 <= switchGoalMs,
      `from the decision to the last request sent, p99: ${p99.toFixed(0)} ms (goal: at most ${switchGoalMs} ms)`,
    ),
    goal(
      report.longestGapMs - report.longestStallMs < gapGoalMs,
      `longest time without a served request: ${report.longestGapMs} ms, of which the generator itself stood still ${report.longestStallMs} ms (goal: less than ${gapGoalMs} ms)`,
    ),
  ];
}

/** Whether all are met. */
export function printGoals(goals: readonly Goal[], report: LoadReport): boolean {
  console.log(
    `\nerrors that bad releases were allowed to serve: ${report.deliberate}; connections closed between requests: ${report.reconnects}\n`,
  );
  for (const { met, text } of goals) console.log(`${met ? 'met   ' : 'MISSED'}  ${text}`);
  for (const { at, kind, problem, after, instance } of report.failures) {
    console.log(
      `  ${new Date(at).toISOString()} ${kind} after ${after} ms at ${instance ?? 'no instance'}: ${problem}`,
    );
  }
  return goals.every(({ met }) => met);
}
