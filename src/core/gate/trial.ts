// What the traffic showed of a release on trial: kept while its deployment goes forward, and written down so that a crash loses little.

import type { Plan } from '../plan/plan.ts';
import type { Hold } from '../rollout/rollout.ts';
import type { StatisticalCheck } from './check.ts';
import type { Sample } from './sample.ts';
import { evaluate, type GateVerdict } from './statistics/evidence.ts';
import { addHistorySample, addSample, startGate, stageStarted, type GateState } from './statistics/gate.ts';
import { createHistory, type StableHistory } from './statistics/history.ts';
import { latencyBounds } from './histogram.ts';
import { addSample as addToWindow, createWindow, type Window } from './window.ts';

/** Plain data that is changed in place by its owner; `JSON.parse(JSON.stringify(trial))` goes on exactly from there. */
export interface Trial {
  readonly deployment: string;
  /** Evidence of the hold that is judged now, or was judged last. */
  hold?: { readonly id: string; window: Window } | undefined;
  /** What stable was like before the candidate had traffic; dropped when the gate has taken it up. */
  history?: StableHistory | undefined;
  /** The statistical gate, from the candidate's first request on. */
  gate?: GateState | undefined;
}

export function beginTrial(deployment: string, history = createHistory(latencyBounds.length + 1)): Trial {
  return { deployment, history };
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
  trial.hold = { id, window: createWindow(plan.candidate.id, plan.stable?.id, enteredAt) };
  const check = statisticalCheckOf(plan);
  if (check === undefined) return;
  startedGate(trial, plan, check, enteredAt);
  if (trial.gate !== undefined) stageStarted(check.gate, trial.gate, { at: enteredAt, share });
}

/** Takes up one finished request. */
export function addToTrial(trial: Trial, plan: Plan, check: StatisticalCheck | undefined, sample: Sample): void {
  if (trial.hold !== undefined) addToWindow(trial.hold.window, sample);
  if (check === undefined) return;
  const isFirst = trial.gate === undefined && sample.release === plan.candidate.id && sample.via !== 'preview';
  if (isFirst) startedGate(trial, plan, check, sample.at);
  if (trial.gate !== undefined) addSample(check.gate, trial.gate, sample);
  else if (trial.history !== undefined && sample.release === plan.stable?.id) addHistorySample(trial.history, sample);
}

function startedGate(trial: Trial, plan: Plan, check: StatisticalCheck, at: number): void {
  if (trial.gate !== undefined || plan.stable === undefined) return;
  trial.gate = startGate(check.gate, { candidate: plan.candidate.id, stable: plan.stable.id, at }, trial.history);
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
