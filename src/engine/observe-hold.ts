// Judges the traffic of one hold, and reports when what can be said changes.

import { gistOf, type Judgement } from '../core/gate/verdict.ts';
import { judge } from '../core/gate/assess.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { HoldStep } from '../core/plan/step.ts';
import type { Hold } from '../core/rollout/rollout.ts';
import type { LiveNumbers } from './controller.ts';
import type { Dependencies } from './dependencies.ts';
import { MetricReadings } from './metric-readings.ts';
import type { TrialKeeper } from './trial-keeper.ts';

export interface Observation {
  readonly deps: Dependencies;
  readonly keeper: TrialKeeper;
  readonly plan: Plan;
  readonly step: HoldStep;
  readonly hold: Hold;
  /** Basis points of traffic for the candidate. */
  readonly share: number;
  readonly signal: AbortSignal;
  /** Told when outcome or minimums changed; resolves when the event is committed. */
  readonly onJudged: (judgement: Judgement, minimumsReached: boolean) => Promise<void>;
  readonly onLive: (live: LiveNumbers) => void;
}

/** Runs until the signal aborts. */
export async function observeHold(observation: Observation): Promise<void> {
  const observer = new HoldObserver(observation);
  const { keeper, hold, share, signal } = observation;
  keeper.begin(hold, share, () => {
    if (!signal.aborted) void observer.judge();
  });
  await Promise.all([observer.ask(), observer.judgeRegularly()]);
}

class HoldObserver {
  readonly #observation: Observation;
  readonly #readings: MetricReadings;
  /** Outcome and minimums that were reported last. */
  #reported = '';
  #confirmed = false;
  #judging = false;
  /** Whether there is more to be said than what is just being told. */
  #again = false;
  #toldAt = 0;

  constructor(observation: Observation) {
    this.#observation = observation;
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

  /** Puts its questions to the metric sources. */
  async ask(): Promise<void> {
    await this.#readings.run();
  }

  async judgeRegularly(): Promise<void> {
    const { deps, signal } = this.#observation;
    while (!signal.aborted) {
      await this.judge();
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
  async judge(): Promise<void> {
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
    const { step, hold, deps, keeper } = this.#observation;
    const now = deps.clock.now();
    const { window } = keeper;
    const seen = {
      window,
      statistics: keeper.statistics(now),
      counts: keeper.counts(now),
      readings: this.#readings.newest,
    };
    const judgement = judge(step.checks, seen, now);
    const minimumsReached =
      hold.minimumsReached || (now - hold.enteredAt >= step.atLeastMs && judgement.candidate.requests >= step.requests);
    this.#tellLive(now, judgement, window.startedAt);
    const key = `${gistOf(judgement)} ${minimumsReached}`;
    // Reaching the minimums and passing are two events, told one after the other, even where both are true at once.
    const confirms = key === this.#reported && minimumsReached && !this.#confirmed;
    if (key === this.#reported && !confirms) return;
    await this.#observation.onJudged(judgement, minimumsReached);
    this.#reported = key;
    this.#confirmed = confirms;
    if (minimumsReached && !confirms) this.#again = true;
  }

  #tellLive(now: number, judgement: Judgement, since: number): void {
    const { deps, onLive } = this.#observation;
    if (now - this.#toldAt < deps.timing.liveMs) return;
    this.#toldAt = now;
    const seconds = Math.max(1, now - since) / 1000;
    const requests = judgement.candidate.requests + (judgement.stable?.requests ?? 0);
    onLive({ at: now, judgement, requestsPerSecond: requests / seconds });
  }
}
