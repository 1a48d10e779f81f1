// Reads the router's feed for as long as a deployment goes forward, keeps what it shows, and writes it down about once a second.

import { failureData } from '../base/failure.ts';
import type { StatisticalCheck } from '../core/gate/check.ts';
import { isError, type SampleBatch } from '../core/gate/sample.ts';
import type { GateVerdict } from '../core/gate/statistics/evidence.ts';
import type { StableHistory } from '../core/gate/statistics/history.ts';
import { assessCounters } from '../core/gate/assess-counters.ts';
import { isAlone } from '../core/gate/statistics/gate.ts';
import {
  addCounted,
  addLoss,
  addPast,
  addToTrial,
  beginHold,
  beginTrial,
  statisticalCheckOf,
  statisticsOf,
  type Trial,
} from '../core/gate/trial.ts';
import type { Verdict } from '../core/gate/verdict.ts';
import { createWindow, type Window } from '../core/gate/window.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Hold } from '../core/rollout/rollout.ts';
import type { Router } from '../ports/router.ts';
import { CounterReadings } from './counter-readings.ts';
import type { Dependencies } from './dependencies.ts';

export interface TrialKeeperOptions {
  readonly deps: Dependencies;
  readonly router: Router;
  readonly deployment: string;
  readonly plan: Plan;
  /** What a controller before this one wrote down. */
  readonly before: Trial | undefined;
  /** What the traffic of stable was like before the deployment, where that is known; it is changed in place from now on. */
  readonly history: StableHistory | undefined;
  readonly signal: AbortSignal;
  /** Writes it down; one that does not work is tried again with newer evidence. */
  readonly save: (trial: Trial) => Promise<void>;
}

export class TrialKeeper {
  readonly #options: TrialKeeperOptions;
  readonly #trial: Trial;
  readonly #check: StatisticalCheck | undefined;
  readonly #counters: CounterReadings | undefined;
  /** Requests up to this time are in what was written down before. */
  readonly #judgedUntil: number;
  /** Whether there is something new to be written down. */
  #changed = false;
  #reading = false;
  /** Told when a request of the candidate failed. */
  #onError: () => void = () => undefined;

  constructor(options: TrialKeeperOptions) {
    this.#options = options;
    const { before, deployment, plan, history } = options;
    const isOurs = before?.deployment === deployment;
    // The store's own value belongs to the store; ours is changed in place.
    this.#check = statisticalCheckOf(plan);
    this.#trial = isOurs ? structuredClone(before) : beginTrial(deployment, this.#check, history);
    this.#judgedUntil = this.#trial.gate?.lastAt ?? 0;
    this.#counters = this.#countersOf(this.#check);
  }

  /** Whether it should read before the first hold: what stable is like without the candidate is worth knowing. */
  get isStatistical(): boolean {
    return this.#check !== undefined;
  }

  /** Begins to read; it goes on until the signal aborts. */
  start(): void {
    if (this.#reading) return;
    this.#reading = true;
    if (this.#options.router.capabilities.feed) void this.#collect();
    if (this.#counters !== undefined) void this.#count(this.#counters);
    if (this.isStatistical) void this.#saveRegularly();
  }

  /** The source of the counters that feed the gate, where some do. */
  #countersOf(check: StatisticalCheck | undefined): CounterReadings | undefined {
    const { deps, plan, signal } = this.#options;
    const feed = check?.counters;
    const source = feed === undefined ? undefined : plan.spec.metrics?.[feed.source];
    if (check === undefined || feed === undefined || source === undefined) return undefined;
    return new CounterReadings({
      deps,
      feed,
      source,
      question: { scope: plan.scope, candidate: plan.candidate.id, stable: plan.stable?.id },
      signal,
      onReading: (reading) => {
        const failed = addCounted(this.#trial, plan, check, reading);
        this.#changed = true;
        if (failed) this.#onError();
      },
    });
  }

  /** What stable was like is only asked for where it is not known already. */
  async #count(counters: CounterReadings): Promise<void> {
    if (this.#trial.gate === undefined) addPast(this.#trial, await counters.past());
    await counters.run();
  }

  /** A hold begins, or goes on after a crash. */
  begin(hold: Hold, share: number, onError: () => void): void {
    beginHold(this.#trial, this.#options.plan, hold, share);
    this.#onError = onError;
    this.start();
  }

  /** What can be written down, as it is now: nothing before the candidate has traffic, which a later controller could not see as well. */
  get trial(): Trial | undefined {
    return this.#trial.gate === undefined ? undefined : structuredClone(this.#trial);
  }

  /** The evidence of the hold that began last. */
  get window(): Window {
    const { plan, deps } = this.#options;
    return this.#trial.hold?.window ?? createWindow(plan.candidate.id, plan.stable?.id, deps.clock.now());
  }

  statistics(now: number): GateVerdict | undefined {
    return statisticsOf(this.#trial, this.#check, now);
  }

  /** Whether the counters that feed the gate can be judged; undefined where the router's requests feed it. */
  counts(now: number): Verdict | undefined {
    const feed = this.#check?.counters;
    if (feed === undefined || this.#counters === undefined) return undefined;
    const source = this.#options.plan.spec.metrics?.[feed.source];
    const staleMs = source !== undefined && 'staleMs' in source ? source.staleMs : Infinity;
    const { gate, counted } = this.#trial;
    return assessCounters(
      { ...this.#counters.seen, counted },
      {
        feed,
        staleMs,
        instances: this.#options.plan.spec.instances,
        alone: gate !== undefined && isAlone(gate),
        stageAt: gate?.stage.startedAt,
        compared: gate?.bounds,
      },
      now,
    );
  }

  /** Reads the feed; where it breaks off, the evidence of the hold begins anew, because nobody knows what was missed. */
  async #collect(): Promise<void> {
    const { router, plan, signal, deps } = this.#options;
    while (!signal.aborted) {
      try {
        for await (const batch of router.feed(plan.scope, signal)) this.#takeIn(batch);
      } catch (error) {
        if (signal.aborted) return;
        deps.log.write('warn', 'the feed of the router broke off; evidence begins anew', {
          service: plan.scope.service,
          environment: plan.scope.environment,
          error: failureData(error),
        });
      }
      await deps.clock.sleep(deps.timing.judgeMs, signal);
      const { hold } = this.#trial;
      if (hold !== undefined) hold.window = createWindow(plan.candidate.id, plan.stable?.id, deps.clock.now());
    }
  }

  #takeIn(batch: SampleBatch): void {
    const { plan } = this.#options;
    addLoss(this.#trial, batch.lost);
    let failed = false;
    for (const sample of batch.samples) {
      if (sample.at <= this.#judgedUntil) continue;
      addToTrial(this.#trial, plan, this.#check, sample);
      failed ||= sample.release === plan.candidate.id && isError(sample);
    }
    this.#changed ||= batch.samples.length > 0;
    if (failed) this.#onError();
  }

  async #saveRegularly(): Promise<void> {
    const { deps, signal, save } = this.#options;
    while (!signal.aborted) {
      await deps.clock.sleep(deps.timing.checkpointMs, signal);
      const trial = signal.aborted || !this.#changed ? undefined : this.trial;
      if (trial === undefined) continue;
      this.#changed = false;
      try {
        await save(trial);
      } catch (error) {
        this.#changed = true;
        if (!signal.aborted) deps.log.write('warn', 'the evidence was not written down', { error: failureData(error) });
      }
    }
  }
}
