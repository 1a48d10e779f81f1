// What the traffic showed of a release on trial: kept while its deployment goes forward, and written down so that a crash loses little.

import type { Plan } from '../plan/plan.ts';
import type { Hold } from '../rollout/rollout.ts';
import type { StatisticalCheck } from './check.ts';
import type { Sample } from './sample.ts';
import { evaluate, type GateVerdict } from './statistics/evidence.ts';
import { blockBetween, remembered, sameBounds } from './counter-blocks.ts';
import type { CounterReading } from '../metrics/counter-reading.ts';
import type { Counts } from './statistics/counts.ts';
import { addHistorySample, addReading, addSample, startGate, stageStarted, type GateState } from './statistics/gate.ts';
import { createHistory, observeStable, type StableHistory } from './statistics/history.ts';
import { latencyBounds } from './histogram.ts';
import { addSample as addToWindow, createWindow, type Window } from './window.ts';

/** Plain data that is changed in place by its owner; `JSON.parse(JSON.stringify(trial))` goes on exactly from there. */
export interface Trial {
  readonly deployment: string;
  /** Evidence of the hold that is judged now, or was judged last, and the candidate's share in it, basis points. */
  hold?: { readonly id: string; readonly share: number; window: Window } | undefined;
  /** What a metric source had counted when it was last read, where that feeds the gate. */
  counted?: CounterReading | undefined;
  /** What stable was like before the candidate had traffic; dropped when the gate has taken it up. */
  history?: StableHistory | undefined;
  /** The statistical gate, from the candidate's first request on. */
  gate?: GateState | undefined;
}

/** `check`: the statistical check of the plan, where it has one. */
export function beginTrial(deployment: string, check?: StatisticalCheck, history?: StableHistory): Trial {
  // Which buckets a metric source has is known from its first reading on.
  if (check?.counters !== undefined) return { deployment };
  return { deployment, history: history ?? createHistory(latencyBounds.length + 1) };
}

/** The statistical check of a plan's holds; all holds of a plan share one gate, so that its wealth goes on from stage to stage. */
export function statisticalCheckOf(plan: Plan): StatisticalCheck | undefined {
  if (plan.stable === undefined) return undefined;
  for (const { step } of plan.steps) {
    if (step.kind !== 'hold') continue;
    const found = step.checks.find((check) => check.kind === 'statistical');
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A hold begins, at this share in basis points; the same hold again, after a crash, goes on with its evidence. */
export function beginHold(
  trial: Trial,
  plan: Plan,
  { id, enteredAt }: Pick<Hold, 'id' | 'enteredAt'>,
  share: number,
): void {
  if (trial.hold?.id === id) return;
  trial.hold = { id, share, window: createWindow(plan.candidate.id, plan.stable?.id, enteredAt) };
  const check = statisticalCheckOf(plan);
  if (check === undefined) return;
  startedGate(trial, plan, check, enteredAt);
  if (trial.gate !== undefined) stageStarted(check.gate, trial.gate, { at: enteredAt, share });
}

/** Takes up what a metric source has counted, and says whether the candidate failed a request since the last reading. */
export function addCounted(trial: Trial, plan: Plan, check: StatisticalCheck, reading: CounterReading): boolean {
  const before = trial.counted;
  trial.counted = remembered(before, reading);
  const { hold } = trial;
  if (trial.gate === undefined && hold !== undefined) {
    startedGate(trial, plan, check, hold.window.startedAt);
    if (trial.gate !== undefined)
      stageStarted(check.gate, trial.gate, { at: hold.window.startedAt, share: hold.share });
  }
  if (before === undefined) return false;
  if (trial.gate === undefined) {
    addCountedHistory(trial, before, reading);
    return false;
  }
  const { candidate, stable, bounds, since, until } = blockBetween(before, reading);
  const compares = bounds !== undefined && sameBounds(bounds, trial.gate.bounds ?? []);
  const seen = ({ latency, ...counts }: Counts): Counts => ({ ...counts, latency: compares ? latency : [] });
  addReading(check.gate, trial.gate, reading.at, { candidate: seen(candidate), stable: seen(stable), since, until });
  return candidate.errors > 0;
}

/** Takes up what stable had counted before the trial, oldest first. */
export function addPast(trial: Trial, readings: readonly CounterReading[]): void {
  let before: CounterReading | undefined;
  for (const reading of readings) {
    if (before !== undefined && trial.gate === undefined) addCountedHistory(trial, before, reading);
    before = remembered(before, reading);
  }
}

/** Stable alone: what the candidate counts before it has traffic, and in which buckets, says nothing about it. */
function addCountedHistory(trial: Trial, before: CounterReading, reading: CounterReading): void {
  const { stable, bounds } = blockBetween({ ...before, candidate: {} }, { ...reading, candidate: {} });
  const buckets = bounds === undefined ? trial.history?.counts.latency.length : bounds.length + 1;
  // With other buckets what was known before cannot be added up with what comes.
  if (trial.history === undefined || trial.history.counts.latency.length !== buckets)
    trial.history = createHistory(buckets ?? 1);
  observeStable(trial.history, reading.at, stable);
}

/** Takes up one finished request. */
export function addToTrial(trial: Trial, plan: Plan, check: StatisticalCheck | undefined, sample: Sample): void {
  if (trial.hold !== undefined) addToWindow(trial.hold.window, sample);
  if (check === undefined) return;
  if (check.counters !== undefined) {
    // After a crash the feed goes on behind it.
    if (trial.gate !== undefined) trial.gate.lastAt = Math.max(trial.gate.lastAt, sample.at);
    return;
  }
  const isFirst = trial.gate === undefined && sample.release === plan.candidate.id && sample.via !== 'preview';
  if (isFirst) startedGate(trial, plan, check, sample.at);
  if (trial.gate !== undefined) addSample(check.gate, trial.gate, sample);
  else if (trial.history !== undefined && sample.release === plan.stable?.id) addHistorySample(trial.history, sample);
}

function startedGate(trial: Trial, plan: Plan, check: StatisticalCheck, at: number): void {
  if (trial.gate !== undefined || plan.stable === undefined) return;
  const { counted } = trial;
  if (check.counters !== undefined && counted === undefined) return;
  // A histogram has no series before its first request; which buckets are compared must be known from the beginning.
  if (check.counters?.selection.buckets !== undefined && counted?.bounds.stable.length === 0) return;
  // Those that the history has, which may be of before the newest reading.
  const known = counted?.bounds.stable;
  const fits = trial.history?.counts.latency.length === (known?.length ?? latencyBounds.length) + 1;
  trial.gate = startGate(
    check.gate,
    {
      candidate: plan.candidate.id,
      stable: plan.stable.id,
      at,
      ...(known === undefined ? {} : { bounds: known, counted: true }),
    },
    fits ? trial.history : undefined,
  );
  trial.history = undefined;
}

/** The feed lost samples. */
export function addLoss(trial: Trial, lost: number): void {
  if (trial.hold !== undefined) trial.hold.window.lost += lost;
  if (trial.gate !== undefined) trial.gate.lost += lost;
}

/** What the statistics say now; undefined while the candidate has had no traffic. */
export function statisticsOf(trial: Trial, check: StatisticalCheck | undefined, now: number): GateVerdict | undefined {
  return check === undefined || trial.gate === undefined ? undefined : evaluate(check.gate, trial.gate, now);
}
