// The engine: takes what people ask for, holds one lease and one runner per scope that it works on, and answers questions.

import { type Failure, failureData } from '../base/failure.ts';
import { planDigest } from '../core/plan/digest.ts';
import { beginRollout } from '../core/rollout/begin.ts';
import { hasSwitchedBack, type Rollout } from '../core/rollout/rollout.ts';
import type { Situation } from '../core/rollout/situation.ts';
import { isFinal, isWaiting } from '../core/rollout/status.ts';
import { scopeName, type Scope } from '../core/scope.ts';
import type { CheckOutcome } from '../core/validation/check.ts';
import type { LogLine } from '../core/instance.ts';
import type { Holder, ScopeState } from '../ports/store.ts';
import type {
  Asker,
  Command,
  Controller,
  DeploymentDetail,
  DeployRequest,
  HistoryQuery,
  LogsRequest,
  PlanAnswer,
  PruneAnswer,
  PruneRequest,
  RemoveAnswer,
  RemoveRequest,
  RollbackRequest,
  ScopeStatus,
  StreamItem,
  StreamQuery,
  ValidateRequest,
} from './controller.ts';
import type { Dependencies } from './dependencies.ts';
import { lockedFailure, noDeployment, planChanged, unknownDeployment } from './failures.ts';
import { Housekeeper, type IdleWork } from './housekeeper.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { specOf } from './orphans.ts';
import { planAnswer, prepareDeploy, prepareRollback, type Prepared } from './prepare.ts';
import { prune } from './prune.ts';
import { remove } from './remove.ts';
import { Runner, type Why } from './runner.ts';
import { statusOf } from './status-of.ts';
import { Stream } from './stream.ts';
import { Turns } from './turns.ts';
import { checkQueries, outcomeOf } from './check-queries.ts';
import { previewTargets, runChecks, serviceTarget } from './validate-release.ts';

/** What to do with a deployment that a dead controller left. */
export type Recovery = 'take-up' | 'take-back';

export class Engine implements Controller {
  readonly #deps: Dependencies;
  readonly #stream: Stream;
  readonly #runners = new Map<string, Runner>();
  /** What is still done after a runner's end: the lease given back. */
  readonly #parting = new Map<string, Promise<void>>();
  readonly #housekeeper: Housekeeper;
  /** Names of the scopes that are being taken away from here. */
  readonly #removing = new Set<string>();
  /** One piece of work at a time may take or give back the lease of a scope; the lease itself cannot tell two of one process apart. */
  readonly #turns = new Turns();

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#stream = new Stream(deps.store, deps.clock);
    this.#housekeeper = new Housekeeper({
      deps,
      runnerOf: (scope) => this.#runners.get(scopeName(scope)),
      // Somebody else's deployment is not the watch's to end.
      rollback: (request) => this.#beginRollback(request),
      withLease: (scope, work) => this.#withIdleLease(scope, work),
      inTurn: (scope, work) => this.#turns.spare(scope, work),
      live: (scope, deployment, live) => this.#stream.live(scope, deployment, live),
    });
  }

  /** Takes up what dead controllers left, at once, and from then on looks after every scope. For a server; a single command need not. */
  serve(): void {
    this.#housekeeper.start(() => this.recover('take-up'));
  }

  /** Looks after the deployments that are run from here, as long as it runs; for a single command that is its own controller. */
  attend(): void {
    this.#housekeeper.start(async () => undefined);
  }

  /** Takes every deployment that no living controller holds, and goes on with it or back. */
  async recover(how: Recovery): Promise<readonly Rollout[]> {
    const taken: Rollout[] = [];
    for (const state of await this.#deps.store.scopes()) {
      if (state.active === undefined || this.#runners.has(scopeName(state.situation.scope))) continue;
      const runner = await this.#takeUp(state.situation.scope);
      if (runner === undefined) continue;
      if (how === 'take-back') await this.#giveUp(runner, 'its controller ended');
      taken.push(runner.rollout);
    }
    return taken;
  }

  async plan(request: DeployRequest): Promise<PlanAnswer> {
    const { situation } = await this.#scope(request.spec.scope);
    return planAnswer((await prepareDeploy(this.#deps, request, situation)).plan);
  }

  async planRollback(request: RollbackRequest): Promise<PlanAnswer> {
    const { situation } = await this.#scope(request.scope);
    return planAnswer((await prepareRollback(this.#deps, request, situation)).plan);
  }

  async deploy(request: DeployRequest): Promise<Rollout> {
    return this.#begin(request.spec.scope, request, async (situation) => {
      const prepared = await prepareDeploy(this.#deps, request, situation);
      const now = planDigest(prepared.plan);
      if (request.planDigest !== undefined && request.planDigest !== now) throw planChanged(request.planDigest, now);
      return prepared;
    });
  }

  /**
   * With a deployment under way and no release named, going back means ending that deployment; where that is a rollback, it is what
   * was asked for, and goes on.
   */
  async rollback(request: RollbackRequest): Promise<Rollout> {
    const { active } = await this.#scope(request.scope);
    if (active === undefined || request.to !== undefined) return this.#beginRollback(request);
    if (active.plan.strategy === 'rollback' && active.course === 'forward') {
      await this.#takeUp(request.scope);
      return this.#runners.get(scopeName(request.scope))?.rollout ?? active;
    }
    return this.command(request.scope, { kind: 'abort', reason: request.reason }, request);
  }

  async #beginRollback(request: RollbackRequest & Why): Promise<Rollout> {
    return this.#begin(request.scope, request, (situation) => prepareRollback(this.#deps, request, situation));
  }

  async command(scope: Scope, command: Command, asker: Asker): Promise<Rollout> {
    const runner = this.#runners.get(scopeName(scope)) ?? (await this.#takeUpFor(scope));
    return runner.command(command, asker.actor);
  }

  async status(scope?: Scope): Promise<readonly ScopeStatus[]> {
    const states = await this.#deps.store.scopes(scope);
    return Promise.all(states.map((state) => statusOf(this.#deps, state, this.#latestOf(state))));
  }

  #latestOf({ active, situation }: ScopeState) {
    const deployment = active?.id ?? situation.watch?.deployment;
    return deployment === undefined ? undefined : this.#stream.latest(deployment);
  }

  async history(query: HistoryQuery): Promise<readonly Rollout[]> {
    return this.#deps.store.rollouts(query);
  }

  async detail(deployment: string): Promise<DeploymentDetail> {
    const [rollout] = await this.#deps.store.rollouts({ id: deployment, limit: 1 });
    if (rollout === undefined) throw unknownDeployment(deployment);
    return { rollout, records: await this.#deps.store.records({ deployment, limit: 10_000 }) };
  }

  stream(query: StreamQuery, signal: AbortSignal): AsyncIterable<StreamItem> {
    return this.#stream.read(query, signal);
  }

  async *logs(request: LogsRequest, signal: AbortSignal): AsyncGenerator<LogLine> {
    const state = await this.#scope(request.scope);
    const spec = state.active?.plan.spec ?? (await specOf(this.#deps, state));
    if (spec === undefined) return;
    yield* this.#deps.drivers(spec).platform.logs(request, signal);
  }

  async validate(request: ValidateRequest, signal: AbortSignal): Promise<readonly CheckOutcome[]> {
    const { spec } = request;
    const state = await this.#scope(spec.scope);
    const targets =
      request.through === 'service'
        ? [serviceTarget(spec)]
        : await previewTargets(this.#deps.drivers(spec).platform, spec, state.active?.plan.candidate.id);
    const [checks, queries] = await Promise.all([
      runChecks(this.#deps.prober, spec, targets, signal),
      checkQueries(this.#deps, spec, spec.gates, state.situation.stable?.release.id ?? spec.scope.service, signal),
    ]);
    return [...checks, ...queries.map(outcomeOf)];
  }

  async prune(request: PruneRequest): Promise<PruneAnswer> {
    return prune(this.#deps, request, (scope) => this.#housekeeper.sweep(scope));
  }

  async remove(request: RemoveRequest): Promise<RemoveAnswer> {
    const { scope } = request;
    return this.#turns.take(scope, async () => {
      if (this.#runners.has(scopeName(scope))) throw await this.#locked(scope);
      await this.#settleAbandoned(scope);
      const lease = await this.#acquire(scope);
      this.#removing.add(scopeName(scope));
      try {
        return await remove(this.#deps, await this.#scope(scope), request, lease);
      } finally {
        this.#removing.delete(scopeName(scope));
        await lease.release();
      }
    });
  }

  /** In words, what would stand still without this controller; what waits for a person stands still anyway. */
  working(): readonly string[] {
    const moving = [...this.#runners.values()]
      .map((runner) => runner.rollout)
      .filter(({ status }) => !isFinal(status) && !isWaiting(status));
    const removals = [...this.#removing].map((name) => `the removal of ${name}`);
    return [...moving.map(({ id, plan }) => `${id} of ${scopeName(plan.scope)}`), ...removals];
  }

  async close(mode: 'leave' | 'settle'): Promise<void> {
    const runners = [...this.#runners.values()];
    if (mode === 'settle') await Promise.all(runners.map((runner) => this.#giveUp(runner, 'its controller ends')));
    for (const runner of this.#runners.values()) runner.stop();
    await Promise.all(this.#parting.values());
    await this.#housekeeper.stop();
  }

  async #scope(scope: Scope): Promise<ScopeState> {
    const [state] = await this.#deps.store.scopes(scope);
    if (state === undefined) throw new Error(`invariant broken: the store knows nothing of ${scopeName(scope)}`);
    return state;
  }

  async #begin(scope: Scope, asker: Asker & Why, make: (situation: Situation) => Promise<Prepared>): Promise<Rollout> {
    return this.#turns.take(scope, () => this.#beginInTurn(scope, asker, make));
  }

  /** Takes the lease, makes the plan under it, and commits the first event; gives the lease back when any of it fails. */
  async #beginInTurn(
    scope: Scope,
    asker: Asker & Why,
    make: (situation: Situation) => Promise<Prepared>,
  ): Promise<Rollout> {
    if (this.#runners.has(scopeName(scope))) throw await this.#locked(scope);
    await this.#settleAbandoned(scope);
    const lease = await this.#acquire(scope);
    let runner: Runner | undefined;
    try {
      const { situation } = await this.#scope(scope);
      const prepared = await make(situation);
      runner = this.#runnerFor(prepared, situation, lease, asker.actor);
      return await runner.start(asker.actor, asker);
    } catch (error) {
      // Whoever closes the engine waits for its end.
      runner?.stop();
      this.#runners.delete(scopeName(scope));
      await lease.release();
      throw error;
    }
  }

  #runnerFor(prepared: Prepared, situation: Situation, lease: LeaseKeeper, actor: string): Runner {
    const deps = this.#deps;
    const rollout = beginRollout({
      id: deps.ids.next('d'),
      plan: prepared.plan,
      at: deps.clock.now(),
      actor,
      revision: situation.revision,
      stable: prepared.stable,
      candidate: prepared.candidate,
    });
    // A release that is warm for the deployment before last is of no use to this one, unless it is the one on trial.
    const kept =
      situation.warm?.placement.release.id === prepared.plan.candidate.id
        ? situation
        : { ...situation, warm: undefined };
    const options = {
      deps,
      drivers: prepared.drivers,
      lease,
      stream: this.#stream,
      rollout,
      situation: kept,
      outbox: [],
      history: this.#housekeeper.historyOf(lease.scope, prepared.plan.stable?.id),
    };
    return this.#keep(new Runner(options), lease);
  }

  /** Remembers a runner as long as it works, and gives the lease back when it has ended. */
  #keep(runner: Runner, lease: LeaseKeeper): Runner {
    const name = scopeName(lease.scope);
    this.#runners.set(name, runner);
    this.#parting.set(name, this.#partFrom(runner, lease, name));
    return runner;
  }

  async #partFrom(runner: Runner, lease: LeaseKeeper, name: string): Promise<void> {
    try {
      await runner.ended;
      if (this.#runners.get(name) === runner) this.#runners.delete(name);
      await lease.release();
      await this.#housekeeper.clearAfter(lease.scope);
    } catch (error) {
      lease.abandon();
      this.#deps.log.write('warn', 'a deployment is no longer run from here', {
        scope: name,
        error: failureData(error),
      });
    } finally {
      if (this.#runners.get(name) === runner) this.#runners.delete(name);
    }
  }

  /** A deployment whose controller died is brought back before another one begins. */
  async #settleAbandoned(scope: Scope): Promise<void> {
    const runner = await this.#takeUpInTurn(scope);
    if (runner === undefined) return;
    await this.#giveUp(runner, 'its controller ended and another deployment was asked for');
  }

  /** Ends a deployment on its way forward by going back, a rollback behind its switch by going on, and waits until all of it is over. */
  async #giveUp(runner: Runner, reason: string): Promise<void> {
    const { rollout } = runner;
    if (hasSwitchedBack(rollout)) {
      if (isWaiting(rollout.status)) await runner.command({ kind: 'resume' }, 'sluice');
    } else if (rollout.course === 'forward') await runner.command({ kind: 'abort', reason }, 'sluice');
    await runner.ended;
    await this.#parting.get(scopeName(runner.rollout.plan.scope));
  }

  async #takeUp(scope: Scope): Promise<Runner | undefined> {
    return this.#turns.take(scope, () => this.#takeUpInTurn(scope));
  }

  /** Undefined where no deployment is under way, or somebody else runs it. */
  async #takeUpInTurn(scope: Scope): Promise<Runner | undefined> {
    if (this.#runners.has(scopeName(scope))) return undefined;
    const { active, lease: before } = await this.#scope(scope);
    if (active === undefined) return undefined;
    const lease = await LeaseKeeper.acquire(this.#deps, scope);
    if (lease === undefined) return undefined;
    // Between looking and taking the lease the deployment may have ended.
    const state = await this.#scope(scope);
    if (state.active !== undefined) return this.#resumed(state, state.active, lease, before?.holder);
    await lease.release();
    return undefined;
  }

  async #resumed(state: ScopeState, active: Rollout, lease: LeaseKeeper, before: Holder | undefined): Promise<Runner> {
    const runner = new Runner({
      deps: this.#deps,
      drivers: this.#deps.drivers(active.plan.spec),
      lease,
      stream: this.#stream,
      rollout: active,
      situation: state.situation,
      outbox: state.outbox,
      trial: state.trial,
    });
    this.#keep(runner, lease);
    await runner.resume(before === undefined ? 'the one before' : `${before.controller} on ${before.host}`);
    return runner;
  }

  /** For a command to a deployment that nobody runs. */
  async #takeUpFor(scope: Scope): Promise<Runner> {
    const state = await this.#scope(scope);
    if (state.active === undefined) {
      throw noDeployment(scope);
    }
    // This controller may have been about to take it up by itself, and have had its turn first.
    const runner = (await this.#takeUp(scope)) ?? this.#runners.get(scopeName(scope));
    if (runner === undefined) throw await this.#locked(scope);
    return runner;
  }

  async #acquire(scope: Scope): Promise<LeaseKeeper> {
    const lease = await LeaseKeeper.acquire(this.#deps, scope);
    if (lease === undefined) throw await this.#locked(scope);
    return lease;
  }

  /** Runs housekeeping work under the lease when no deployment is under way; gives way as soon as somebody wants the scope. */
  async #withIdleLease(scope: Scope, work: IdleWork): Promise<void> {
    await this.#turns.spare(scope, async (signal) => {
      if (this.#runners.has(scopeName(scope))) return;
      const lease = await LeaseKeeper.acquire(this.#deps, scope);
      if (lease === undefined) return;
      try {
        const state = await this.#scope(scope);
        if (state.active === undefined) await work(state, lease, AbortSignal.any([signal, lease.lost]));
      } finally {
        await lease.release();
      }
    });
  }

  async #locked(scope: Scope): Promise<Failure> {
    const { lease, active } = await this.#scope(scope);
    return lockedFailure(scope, lease, active);
  }
}
