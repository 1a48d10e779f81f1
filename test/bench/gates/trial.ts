// One simulated trial: the same traffic for all rules, until every rule has aborted or the time is over.

import { createHistory, observeStable, type StableHistory } from '../../../src/core/gate/statistics/history.ts';
import { createRandom } from './random.ts';
import type { Rule } from './rules/rule.ts';
import { buckets, emptyTick, fill, simulateTick, startRun, type Run, type Scenario, type Tick } from './traffic.ts';

/** When a rule aborted, in seconds, and what the candidate had served by then; undefined when it never did. */
export interface Abort {
  readonly at: number;
  readonly bad: number;
  readonly requests: number;
}

export interface TrialOptions {
  readonly seed: number;
  readonly tickSeconds: number;
  readonly horizonSeconds: number;
  /** Seconds of stable traffic before the trial. */
  readonly historySeconds: number;
}

export type Aborts = Readonly<Record<string, Abort | undefined>>;

export function runTrial(
  scenario: Scenario,
  createRules: (history: StableHistory) => readonly Rule[],
  options: TrialOptions,
): Aborts {
  const run = startRun(createRandom(options.seed));
  const tick = emptyTick();
  let rules = createRules(simulateHistory(run, scenario, tick, options.historySeconds));
  const aborts: Record<string, Abort | undefined> = {};
  let [bad, requests] = [0, 0];
  const ticks = Math.round(options.horizonSeconds / options.tickSeconds);
  for (let index = 1; index <= ticks && rules.length > 0; index += 1) {
    simulateTick(run, scenario, tick, index * options.tickSeconds, options.tickSeconds);
    bad += tick.candidate.errors;
    requests += tick.candidate.requests;
    const done = rules.filter((rule) => rule.observe(tick));
    for (const rule of done) aborts[rule.name] = { at: tick.at, bad, requests };
    if (done.length > 0) rules = rules.filter((rule) => !done.includes(rule));
  }
  return aborts;
}

/** What the gate saw of stable before the trial: all traffic, second by second. */
export function simulateHistory(run: Run, scenario: Scenario, tick: Tick, seconds: number): StableHistory {
  const history = createHistory(buckets);
  const before: Scenario = { ...scenario, share: () => 0 };
  for (let second = -seconds; second < 0; second += 1) {
    simulateTick(run, before, tick, second, 1);
    observeStable(history, second * 1000 + 3_600_000, tick.stable);
  }
  return history;
}

/** The same with a look after every request of the candidate, for as many as `most` of them. */
export function runPerRequest(
  scenario: Scenario,
  createRule: (history: StableHistory) => Rule,
  options: { readonly seed: number; readonly most: number; readonly historySeconds: number },
): Abort | undefined {
  const run = startRun(createRandom(options.seed));
  const tick = emptyTick();
  const rule = createRule(simulateHistory(run, scenario, tick, options.historySeconds));
  let [bad, at] = [0, 0];
  for (let requests = 1; requests <= options.most; requests += 1) {
    const share = scenario.share(at);
    // how many requests of stable come before the candidate's next one
    const stable = Math.floor(Math.log(1 - run.random()) / Math.log1p(-share));
    at += (stable + 1) / scenario.rate;
    const now = { at, seconds: 1 / scenario.rate };
    Object.assign(tick, now, { share });
    fill(run, tick.candidate, 1, { ...now, behaviour: scenario.candidate(at), firstPod: 0 });
    fill(run, tick.stable, stable, { ...now, behaviour: scenario.stable(at), firstPod: 1 });
    bad += tick.candidate.errors;
    if (rule.observe(tick)) return { at, bad, requests };
  }
  return undefined;
}
