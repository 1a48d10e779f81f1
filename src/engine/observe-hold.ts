// Watches the traffic of one hold: collects samples, judges them, and reports when what can be said changes.

import { gistOf, type Judgement } from '../core/gate/verdict.ts';
import { judge } from '../core/gate/assess.ts';
import { addSample, createWindow, type Window } from '../core/gate/window.ts';
import { isError, type SampleBatch } from '../core/gate/sample.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { HoldStep } from '../core/plan/step.ts';
import type { Hold } from '../core/rollout/rollout.ts';
import type { Router } from '../ports/router.ts';
import type { LiveNumbers } from './controller.ts';
import type { Dependencies } from './dependencies.ts';
import { MetricReadings } from './metric-readings.ts';

export interface Observation {
  readonly deps: Dependencies;
  readonly router: Router;
  readonly plan: Plan;
  readonly step: HoldStep;
  readonly hold: Hold;
  readonly signal: AbortSignal;
  /** Told when outcome or minimums changed; resolves when the event is committed. */
  readonly onJudged: (judgement: Judgement, minimumsReached: boolean) => Promise<void>;
  readonly onLive: (live: LiveNumbers) => void;
}

/** Runs until the signal aborts. */
export async function observeHold(observation: Observation): Promise<void> {
  const observer = new HoldObserver(observation);
  await Promise.all([observer.collect(), observer.ask(), observer.judgeRegularly()]);
}

class HoldObserver {
  readonly #observation: Observation;
  readonly #readings: MetricReadings;
  #window: Window;
  /** Outcome and minimums that were reported last. */
  #reported = '';
  #confirmed = false;
  #judging = false;
  /** Whether there is more to be said than what is just being told. */
  #again = false;
  #toldAt = 0;

  constructor(observation: Observation) {
    this.#observation = observation;
    this.#window = this.#newWindow(observation.hold.enteredAt);
    const { deps, plan, step, hold, signal } = observation;
    const { scope, spec, candidate, stable } = plan;
    this.#readings = new MetricReadings({
      deps,
      scope,
      checks: step.checks,
      sources: spec.metrics ?? {},
      candidate: candidate.id,
      stable: stable?.id,
      startedAt: hold.enteredAt,
      signal,
    });
  }

  #newWindow(startedAt: number): Window {
    const { plan } = this.#observation;
    return createWindow(plan.candidate.id, plan.stable?.id, startedAt);
  }

  /** Reads the feed; where it breaks off, evidence begins anew, because nobody knows what was missed. */
  async collect(): Promise<void> {
    const { router, plan, signal, deps } = this.#observation;
    if (!router.capabilities.feed) return;
    while (!signal.aborted) {
      try {
        await this.#readFeed();
      } catch (error) {
        if (signal.aborted) return;
        deps.log.write('warn', 'the feed of the router broke off; evidence begins anew', {
          service: plan.scope.service,
          environment: plan.scope.environment,
          error: error instanceof Error ? error.message : String(error),
        });
      }
      await deps.clock.sleep(deps.timing.judgeMs, signal);
      this.#window = this.#newWindow(deps.clock.now());
    }
  }

  async #readFeed(): Promise<void> {
    const { router, plan, signal } = this.#observation;
    for await (const batch of router.feed(plan.scope, signal)) if (this.#takeIn(batch)) await this.#judge();
  }

  /** Whether the batch has an error of the candidate, which is judged at once. */
  #takeIn(batch: SampleBatch): boolean {
    this.#window.lost += batch.lost;
    for (const sample of batch.samples) addSample(this.#window, sample);
    const { candidate } = this.#observation.plan;
    return batch.samples.some((sample) => sample.release === candidate.id && isError(sample));
  }

  /** Puts its questions to the metric sources. */
  async ask(): Promise<void> {
    await this.#readings.run();
  }

  async judgeRegularly(): Promise<void> {
    const { deps, signal } = this.#observation;
    while (!signal.aborted) {
      await this.#judge();
      await deps.clock.sleep(this.#untilNextLook(), signal);
    }
  }

  /** The end of the minimum time is not missed by a moment; afterwards it is time for the regular look. */
  #untilNextLook(): number {
    const { step, hold, deps } = this.#observation;
    const leftMs = hold.enteredAt + step.atLeastMs - deps.clock.now();
    return leftMs > 0 ? Math.min(leftMs, deps.timing.judgeMs) : deps.timing.judgeMs;
  }

  /** One report at a time; what comes up while one is committed is judged right behind it. */
  async #judge(): Promise<void> {
    this.#again = true;
    if (this.#judging) return;
    this.#judging = true;
    try {
      while (this.#again && !this.#observation.signal.aborted) {
        this.#again = false;
        await this.#judgeOnce();
      }
    } finally {
      this.#judging = false;
    }
  }

  async #judgeOnce(): Promise<void> {
    const { step, hold, deps } = this.#observation;
    const now = deps.clock.now();
    const judgement = judge(step.checks, this.#window, now, this.#readings.newest);
    const minimumsReached =
      hold.minimumsReached || (now - hold.enteredAt >= step.atLeastMs && judgement.candidate.requests >= step.requests);
    this.#tellLive(now, judgement);
    const key = `${gistOf(judgement)} ${minimumsReached}`;
    // Reaching the minimums and passing are two events, told one after the other, even where both are true at once.
    const confirms = key === this.#reported && minimumsReached && !this.#confirmed;
    if (key === this.#reported && !confirms) return;
    await this.#observation.onJudged(judgement, minimumsReached);
    this.#reported = key;
    this.#confirmed = confirms;
    if (minimumsReached && !confirms) this.#again = true;
  }

  #tellLive(now: number, judgement: Judgement): void {
    const { deps, onLive } = this.#observation;
    if (now - this.#toldAt < deps.timing.liveMs) return;
    this.#toldAt = now;
    const seconds = Math.max(1, now - this.#window.startedAt) / 1000;
    const requests = judgement.candidate.requests + (judgement.stable?.requests ?? 0);
    onLive({ at: now, judgement, requestsPerSecond: requests / seconds });
  }
}
