// Carries one deployment from its first event to its last: takes events one at a time, commits each, then acts on it.

import { Failure, failureData } from '../base/failure.ts';
import type { Effect } from '../core/rollout/effect.ts';
import { assertAccepts } from '../core/rollout/accepts.ts';
import type { Command, RolloutEvent } from '../core/rollout/event.ts';
import { assertSoundChange } from '../core/rollout/invariant.ts';
import { currentStep, type Rollout } from '../core/rollout/rollout.ts';
import { settle } from '../core/rollout/settle.ts';
import type { StableHistory } from '../core/gate/statistics/history.ts';
import type { Trial } from '../core/gate/trial.ts';
import type { Situation } from '../core/rollout/situation.ts';
import { isFinal } from '../core/rollout/status.ts';
import { transition } from '../core/rollout/transition.ts';
import { wakeAt } from '../core/rollout/wake.ts';
import type { Change } from '../ports/store.ts';
import type { Dependencies, Drivers } from './dependencies.ts';
import { leaseLost } from './failures.ts';
import type { Happening } from './happening.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { observeHold } from './observe-hold.ts';
import { TrialKeeper } from './trial-keeper.ts';
import { Performing } from './performing.ts';
import { recordOf } from './record-of.ts';
import { retry } from './retry.ts';
import type { Stream } from './stream.ts';

/** What led to a deployment. */
export interface Why {
  readonly reason?: string | undefined;
  /** See `Rollout.badSince`. */
  readonly badSince?: number | undefined;
}

export interface RunnerOptions {
  readonly deps: Dependencies;
  readonly drivers: Drivers;
  readonly lease: LeaseKeeper;
  readonly stream: Stream;
  readonly rollout: Rollout;
  readonly situation: Situation;
  /** Effects that lie in the outbox from before. */
  readonly outbox: readonly Effect[];
  /** What the traffic showed so far, where a controller before this one wrote it down. */
  readonly trial?: Trial | undefined;
  /** What the traffic of stable was like before. */
  readonly history?: StableHistory | undefined;
}

/** How long the answer to a command waits for routes that it ordered. */
const answerMs = 250;

export class Runner {
  readonly #options: RunnerOptions;
  readonly #stopped = new AbortController();
  readonly #signal: AbortSignal;
  readonly #ended = Promise.withResolvers<Rollout>();
  #rollout: Rollout;
  #situation: Situation;
  #outbox: readonly Effect[];
  /** The events taken so far; the next one waits for it. */
  #tail: Promise<unknown> = Promise.resolve();
  readonly #performing: Performing;
  #timer = new AbortController();
  /** Reads the feed while the deployment goes forward. */
  #keeping: { readonly keeper: TrialKeeper; readonly stop: AbortController } | undefined;
  #observing: { readonly hold: string; readonly stop: AbortController } | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.#rollout = options.rollout;
    this.#situation = options.situation;
    this.#outbox = options.outbox;
    this.#signal = AbortSignal.any([this.#stopped.signal, options.lease.lost]);
    const { deps, drivers, lease, rollout } = options;
    const report = (happening: Happening): Promise<void> => this.#report(happening);
    this.#performing = new Performing({ deps, drivers, lease, rollout, signal: this.#signal, report });
    // Somebody who only starts a deployment need not wait for its end; without this its failure would count as unhandled.
    this.#ended.promise.catch(() => undefined);
    options.lease.lost.addEventListener('abort', () => this.#ended.reject(leaseLost(this.#rollout.id)), { once: true });
  }

  get rollout(): Rollout {
    return this.#rollout;
  }

  /** Whether routes that were ordered are still being put in force. */
  get isRouting(): boolean {
    return this.#outbox.some(isApply);
  }

  /** Whether its lease surely still holds. */
  holds(): boolean {
    return this.#options.lease.holds();
  }

  /** Resolves with the final state; rejects when this controller lost the lease or stopped before. */
  get ended(): Promise<Rollout> {
    return this.#ended.promise;
  }

  /** The first event of a new deployment; resolves when it is committed, and as `command` does where it ordered routes. */
  async start(actor: string, why: Why = {}): Promise<Rollout> {
    const { reason, badSince } = why;
    const told = { ...(reason === undefined ? {} : { reason }), ...(badSince === undefined ? {} : { badSince }) };
    const begun = await this.post({ kind: 'started', actor, ...told });
    await this.#routed();
    return begun;
  }

  /** Takes a deployment up that another controller, or this one before a crash, left. */
  async resume(previous: string): Promise<Rollout> {
    for (const effect of this.#outbox) this.#performing.begin(effect);
    this.#watchOver();
    return this.post({ kind: 'recovered', actor: 'sluice', previous });
  }

  /**
   * Checks a person's command against the state at the moment it is taken. Resolves with the state that it led to: when routes that
   * it ordered are in force, or after a moment. The answer takes processor time that they need first.
   */
  async command(command: Command, actor: string): Promise<Rollout> {
    const after = await this.#inTurn(() => {
      assertAccepts(this.#rollout, command);
      return this.#take({ ...command, actor });
    });
    await this.#routed();
    return after;
  }

  async #routed(): Promise<void> {
    if (!this.isRouting) return;
    const over = new AbortController();
    const applied = this.#performing.ended(this.#outbox.filter(isApply));
    await Promise.race([applied, this.#options.deps.clock.sleep(answerMs, over.signal)]);
    over.abort();
  }

  /** Takes an event in its turn; resolves with the state that it led to. */
  async post(happening: Happening): Promise<Rollout> {
    return this.#inTurn(() => this.#take(happening));
  }

  /** Stops acting, in the middle of whatever is under way; what is committed is taken up by the next controller. */
  stop(): void {
    this.#stopped.abort();
    this.#timer.abort();
    this.#ended.reject(
      new Failure('server.unreachable', `the controller of ${this.#rollout.id} stopped`, {
        remedy: 'Start it again; it takes the deployment up.',
      }),
    );
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#tail.then(work);
    this.#tail = turn.catch(() => undefined);
    return turn;
  }

  async #take(happening: Happening): Promise<Rollout> {
    const before = this.#rollout;
    if (isFinal(before.status) || this.#signal.aborted) return before;
    const { deps } = this.#options;
    const event = { ...happening, at: Math.max(deps.clock.now(), before.at) } as RolloutEvent;
    const [after, effects] = transition(before, event);
    assertSoundChange(before, event, after);
    await this.#commit(before, event, after, effects);
    this.#act(before, effects);
    // Whoever looks on takes processor time; where routes are on their way to the router, the next commit wakes them, or their own look.
    if (!effects.some(isApply)) this.#options.stream.committed();
    return after;
  }

  async #commit(before: Rollout, event: RolloutEvent, after: Rollout, effects: readonly Effect[]): Promise<void> {
    const settled = this.#settledBy(before, event, after);
    const situation = settle(this.#situation, after);
    const change: Change = {
      scope: after.plan.scope,
      fence: this.#options.lease.fence,
      rollout: after,
      expectedVersion: before.version,
      record: recordOf(before, event, after),
      effects,
      settled,
      situation,
      ...this.#trialOf(event, after),
    };
    await this.#write(change, before, after, effects);
    this.#rollout = after;
    this.#situation = situation;
    this.#outbox = [...this.#outbox.filter((effect) => !settled.includes(effect.id)), ...effects];
  }

  /** What the traffic showed goes along with what was decided on it, and stays for the watch behind the promotion. */
  #trialOf(event: RolloutEvent, after: Rollout): Pick<Change, 'trial'> {
    const trial = event.kind === 'judged' || isFinal(after.status) ? this.#keeping?.keeper.trial : undefined;
    return trial === undefined ? {} : { trial };
  }

  /** A store that does not answer delays a deployment; it does not keep traffic from going back to stable. */
  async #write(change: Change, before: Rollout, after: Rollout, effects: readonly Effect[]): Promise<void> {
    const { deps, lease } = this.#options;
    let saved = false;
    // A person who asks for something is told at once that it cannot be kept; what happens by itself, or goes back, is kept trying.
    const patient = change.record?.actor === 'sluice' || after.course === 'back';
    const may = (error: unknown): boolean => patient && storeMayRecover(error);
    const onRetry = (error: unknown): void => {
      deps.log.write('error', 'the store does not take a change; trying again', {
        deployment: after.id,
        error: failureData(error),
      });
      if (saved || before.course === 'back' || after.course === 'forward') return;
      saved = true;
      for (const effect of effects) if (effect.action.kind === 'apply') void this.#applyUncommitted(effect);
    };
    try {
      await retry(() => writeOnce(deps, change), { ...this.#retryRules(), signal: this.#signal, may, onRetry });
    } catch (error) {
      const { code } = failureData(error);
      if (code === 'lease.lost' || code === 'store.conflict') lease.lose(failureData(error).message);
      throw error;
    }
  }

  #retryRules() {
    const { clock, timing } = this.#options.deps;
    return { clock, firstMs: timing.retryFirstMs, longestMs: timing.retryLongestMs };
  }

  /** Traffic first: routes to stable are put in force although the store cannot say so yet. */
  async #applyUncommitted(effect: Effect): Promise<void> {
    const { deps, lease, drivers } = this.#options;
    if (effect.action.kind !== 'apply' || !lease.holds()) return;
    try {
      await drivers.router.apply(effect.action.routes, this.#signal);
    } catch (error) {
      deps.log.write('error', 'going back without the store did not work; it is tried again with the store', {
        deployment: this.#rollout.id,
        error: failureData(error),
      });
    }
  }

  /** Effects that leave the outbox: the one whose outcome this is, and the one that nobody waits for any more. */
  #settledBy(before: Rollout, event: RolloutEvent, after: Rollout): readonly string[] {
    if (isFinal(after.status)) return this.#outbox.map((effect) => effect.id);
    const settled: string[] = [];
    if (event.kind === 'effect-done' || event.kind === 'effect-failed') settled.push(event.effect);
    if (before.awaiting !== undefined && before.awaiting !== after.awaiting) settled.push(before.awaiting);
    return [...new Set(settled)].filter((id) => this.#outbox.some((effect) => effect.id === id));
  }

  /** What follows from a committed event. */
  #act(before: Rollout, effects: readonly Effect[]): void {
    this.#performing.giveUpAllBut(this.#outbox);
    for (const effect of effects) this.#performing.begin(effect);
    this.#watchOver();
    if (isFinal(this.#rollout.status)) this.#end();
    else if (before.hold?.id !== this.#rollout.hold?.id && this.#rollout.hold === undefined)
      this.#options.stream.forget(this.#rollout.id);
  }

  #end(): void {
    this.#stopped.abort();
    this.#timer.abort();
    this.#options.stream.forget(this.#rollout.id);
    this.#ended.resolve(this.#rollout);
  }

  /** Keeps timer and observation in step with the state. */
  #watchOver(): void {
    this.#setTimer();
    this.#setKeeper();
    this.#setObservation();
  }

  #setTimer(): void {
    this.#timer.abort();
    const at = wakeAt(this.#rollout);
    if (at === undefined || this.#signal.aborted) return;
    const timer = new AbortController();
    this.#timer = timer;
    void this.#wakeAt(at, timer.signal);
  }

  async #wakeAt(at: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options.deps;
    await clock.sleep(Math.max(1, at - clock.now()), signal);
    if (!signal.aborted) await this.#report({ kind: 'time-came', actor: 'sluice' });
  }

  #setKeeper(): void {
    const { course, status, id, plan } = this.#rollout;
    // To begin and to end reading takes time as well, and routes on their way go first.
    if (this.isRouting && !this.#signal.aborted) return;
    if (course === 'back' || isFinal(status) || this.#signal.aborted) {
      this.#keeping?.stop.abort();
      this.#keeping = undefined;
      return;
    }
    if (this.#keeping !== undefined) return;
    const { deps, drivers, lease, trial, history } = this.#options;
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, this.#signal]);
    const keeper = new TrialKeeper({
      deps,
      router: drivers.router,
      deployment: id,
      plan,
      before: trial,
      history,
      signal,
      save: async (seen) => {
        const { scope } = plan;
        await deps.store.commit({ scope, fence: lease.fence, effects: [], settled: [], trial: seen });
      },
    });
    this.#keeping = { keeper, stop };
    if (keeper.isStatistical) keeper.start();
  }

  #setObservation(): void {
    const { hold } = this.#rollout;
    if (this.#observing?.hold === hold?.id) return;
    this.#observing?.stop.abort();
    this.#observing = undefined;
    const step = currentStep(this.#rollout)?.step;
    const keeper = this.#keeping?.keeper;
    if (hold === undefined || step?.kind !== 'hold' || keeper === undefined) return;
    // A hold that only waits for a person has nothing to judge.
    if (step.checks.length === 0 && step.maxMs === 0) return;
    const stop = new AbortController();
    this.#observing = { hold: hold.id, stop };
    const { deps, stream } = this.#options;
    const { id, plan, share } = this.#rollout;
    void observeHold({
      deps,
      keeper,
      plan,
      step,
      hold,
      share,
      signal: AbortSignal.any([stop.signal, this.#signal]),
      onJudged: (judgement, minimumsReached) =>
        this.#report({ kind: 'judged', actor: 'sluice', hold: hold.id, judgement, minimumsReached }),
      onLive: (live) => stream.live(plan.scope, id, live),
    });
  }

  /** Posts an event that nobody waits for; a failure to take it is a defect or the end of the lease, and is logged. */
  async #report(happening: Happening): Promise<void> {
    try {
      await this.post(happening);
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#options.deps.log.write('error', 'an event could not be taken', {
        deployment: this.#rollout.id,
        event: happening.kind,
        error: failureData(error),
        stack: error instanceof Error ? error.stack : undefined,
      });
      this.#ended.reject(error);
      this.stop();
    }
  }
}

function isApply(effect: Effect): boolean {
  return effect.action.kind === 'apply';
}

async function writeOnce(deps: Dependencies, change: Change): Promise<void> {
  await deps.store.commit(change);
}

function storeMayRecover(error: unknown): boolean {
  return error instanceof Failure && (error.code === 'store.full' || error.code === 'store.unavailable');
}
