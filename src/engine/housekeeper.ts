// Looks after scopes: revives instances that ended, lets warm releases go, clears orphans away, watches promoted releases.

import { Failure, failureData } from '../base/failure.ts';
import type { StableHistory } from '../core/gate/statistics/history.ts';
import { scopeName, type Scope } from '../core/scope.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Situation } from '../core/rollout/situation.ts';
import type { ScopeState } from '../ports/store.ts';
import type { LiveNumbers, RollbackRequest } from './controller.ts';
import { choresOf, isIdle, type Chores } from './chores.ts';
import type { Dependencies, Drivers } from './dependencies.ts';
import { guardFleet } from './guard-fleet.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { clearAway, givesWay } from './clear-away.ts';
import { orphansOf, specOf } from './orphans.ts';
import { Pauses } from './pauses.ts';
import { pruneAfter } from './prune.ts';
import { routesInForce } from './routes-in-force.ts';
import type { Runner } from './runner.ts';
import { finishRemoval } from './remove.ts';
import { StableMemory } from './stable-memory.ts';
import { Watches } from './watch.ts';

/** Work on a scope without a deployment, under its lease. */
export type IdleWork = (state: ScopeState, lease: LeaseKeeper, signal: AbortSignal) => Promise<void>;

export interface HousekeeperOptions {
  readonly deps: Dependencies;
  readonly runnerOf: (scope: Scope) => Runner | undefined;
  readonly rollback: (request: RollbackRequest) => Promise<Rollout>;
  readonly withLease: (scope: Scope, work: IdleWork) => Promise<void>;
  /** Does the work only when nobody wants the scope; its signal aborts when somebody does. */
  readonly inTurn: (scope: Scope, work: (signal: AbortSignal) => Promise<void>) => Promise<void>;
  readonly live: (scope: Scope, deployment: string, live: LiveNumbers) => void;
}

/** For so long after a removal a controller that was frozen in the middle of something may come back and undo a part of it. */
const lookAfterMs = 3_600_000;

export class Housekeeper {
  readonly #options: HousekeeperOptions;
  readonly #stopped = new AbortController();
  readonly #revivals: Pauses;
  readonly #removals: Pauses;
  readonly #watches: Watches;
  readonly #memory: StableMemory;
  /** Clearing away beside a deployment, by the scope's name. */
  readonly #beside = new Map<string, Promise<void>>();
  #rounds: Promise<void> = Promise.resolve();
  #started = false;

  constructor(options: HousekeeperOptions) {
    this.#options = options;
    this.#revivals = new Pauses(options.deps.clock);
    this.#removals = new Pauses(options.deps.clock);
    this.#watches = new Watches({ ...options, signal: this.#stopped.signal });
    this.#memory = new StableMemory(options.deps, this.#stopped.signal);
  }

  /** What the traffic of a stable release was like while nothing was deployed, as far as this controller has seen it. */
  historyOf(scope: Scope, release: string | undefined): StableHistory | undefined {
    return this.#memory.historyOf(scope, release);
  }

  /** Rounds begin, with `beforeEach` ahead of every one. */
  start(beforeEach: () => Promise<unknown>): void {
    if (this.#started) return;
    this.#started = true;
    this.#rounds = this.#goRound(beforeEach);
  }

  /** A deployment has ended: what it left is cleared away now rather than at the next round. */
  async clearAfter(scope: Scope): Promise<void> {
    // It has the scope's turn, and whoever ran the deployment may leave after this.
    await this.#beside.get(scopeName(scope));
    await this.#guarded(scopeName(scope), async () => {
      await this.sweep(scope);
      await pruneAfter(this.#options.deps, scope);
    });
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#rounds;
    await Promise.all(this.#beside.values());
  }

  /** Clears one scope up at once; the ids of the instances that were stopped. */
  async sweep(scope: Scope): Promise<readonly string[]> {
    const stopped: string[] = [];
    await this.#options.withLease(scope, async (state, lease, signal) => {
      const drivers = await this.#driversOf(state);
      if (drivers === undefined) return;
      const chores = await this.#choresOf(state, drivers);
      await this.#do(chores, state, lease, signal, drivers);
      stopped.push(...chores.stop.map((instance) => instance.id));
    });
    return stopped;
  }

  async #goRound(beforeEach: () => Promise<unknown>): Promise<void> {
    const { clock, timing } = this.#options.deps;
    while (!this.#stopped.signal.aborted) {
      await this.#guarded('taking up deployments', beforeEach);
      await this.#guarded('looking after scopes', () => this.#tendAll());
      await clock.sleep(timing.superviseMs, this.#stopped.signal);
    }
  }

  async #tendAll(): Promise<void> {
    const states = await this.#options.deps.store.scopes();
    this.#watches.keep(states);
    this.#memory.keep(states);
    await Promise.all(states.map((state) => this.#guarded(scopeName(state.situation.scope), () => this.#tend(state))));
  }

  /** One failing scope, or one failing round, keeps nobody from the next. */
  async #guarded(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (this.#stopped.signal.aborted) return;
      this.#options.deps.log.write('error', 'housekeeping did not work; it is tried again', {
        what,
        error: failureData(error),
      });
    }
  }

  async #tend(state: ScopeState): Promise<void> {
    const { deps, runnerOf } = this.#options;
    const { scope } = state.situation;
    const runner = runnerOf(scope);
    if (runner !== undefined) {
      this.#clearBeside(scope);
      return guardFleet(deps, runner);
    }
    if (state.active !== undefined) return;
    const drivers = await this.#driversOf(state);
    if (drivers === undefined) return;
    if (state.situation.removal !== undefined) return this.#keepAway(state, drivers);
    if (isIdle(this.#due(scope, await this.#choresOf(state, drivers)))) return;
    await this.#options.withLease(scope, async (fresh, lease, signal) => {
      const chores = this.#due(scope, await this.#choresOf(fresh, drivers));
      await this.#do(chores, fresh, lease, signal, drivers);
      if (!signal.aborted) await pruneAfter(deps, scope);
    });
  }

  /** Whoever took the service away may not have come to the end of it, and one that was frozen meanwhile may have brought a part back. */
  async #keepAway(state: ScopeState, drivers: Drivers): Promise<void> {
    const { scope, removal } = state.situation;
    const { deps, withLease } = this.#options;
    const name = scopeName(scope);
    if (removal === undefined || this.#removals.last(name)) return;
    const isLong = deps.clock.now() > removal.at + lookAfterMs;
    if (removal.finished && (isLong || !(await isThere(drivers, scope)))) return;
    await withLease(scope, async ({ situation }, lease, signal) => {
      if (situation.removal === undefined) return;
      this.#removals.begin(name);
      // What was told to end ends without anybody watching; whoever wants the scope need not wait for it.
      if (await givesWay(signal, finishRemoval(deps, situation, lease, signal))) return;
      // Where it is not the first end of it, it may not be the last: a router that never says what it has would be asked all the time.
      if (!situation.removal.finished) this.#removals.end(name);
    });
  }

  /**
   * What earlier deployments left is cleared away beside the one under way: where one follows the other, there may be no other time
   * for it. Nobody waits for it, and it gives way to whoever wants the scope, who may need just these instances.
   */
  #clearBeside(scope: Scope): void {
    const name = scopeName(scope);
    if (this.#beside.has(name)) return;
    const { deps, runnerOf, inTurn } = this.#options;
    const clear = async (signal: AbortSignal): Promise<void> => {
      const [state] = await deps.store.scopes(scope);
      // Only under a deployment of this controller's own, which is in the state: nobody else touches the scope then.
      if (state?.active === undefined || runnerOf(scope)?.rollout.id !== state.active.id) return;
      const ground = {
        signal: AbortSignal.any([signal, this.#stopped.signal]),
        isOurs: () => runnerOf(scope)?.holds() === true,
      };
      await clearAway(deps, state, await orphansOf(deps, state), ground);
    };
    const cleared = this.#guarded(name, () => inTurn(scope, clear)).finally(() => this.#beside.delete(name));
    this.#beside.set(name, cleared);
  }

  async #driversOf(state: ScopeState): Promise<Drivers | undefined> {
    const spec = await specOf(this.#options.deps, state);
    return spec === undefined ? undefined : this.#options.deps.drivers(spec);
  }

  async #choresOf(state: ScopeState, drivers: Drivers): Promise<Chores> {
    const { scope } = state.situation;
    const [instances, inForce] = await Promise.all([
      drivers.platform.list(scope),
      routesInForce(this.#options.deps, drivers.router, scope),
    ]);
    return choresOf(state.situation, instances, inForce, this.#options.deps.clock.now());
  }

  /** Without a revival whose pause is not over. */
  #due(scope: Scope, chores: Chores): Chores {
    return this.#revivals.last(scopeName(scope)) ? { ...chores, revive: false } : chores;
  }

  async #do(
    chores: Chores,
    state: ScopeState,
    lease: LeaseKeeper,
    signal: AbortSignal,
    drivers: Drivers,
  ): Promise<void> {
    if (isIdle(chores)) return;
    let { routes } = chores;
    if (chores.revive) {
      await this.#revive(state, drivers, signal);
      // They may be somewhere else now, and nobody may look again: the controller of a command ends with it.
      ({ routes } = await this.#choresOf(state, drivers));
    }
    if (chores.cool || routes !== undefined) await this.#reroute(state, lease.fence, signal, drivers);
    const ground = { signal, isOurs: () => lease.holds() };
    if (chores.stop.length > 0 && !signal.aborted) await clearAway(this.#options.deps, state, chores.stop, ground);
  }

  async #revive(state: ScopeState, drivers: Drivers, signal: AbortSignal): Promise<void> {
    const { stable, scope } = state.situation;
    if (stable === undefined) return;
    const { deps } = this.#options;
    const name = scopeName(scope);
    const failures = this.#revivals.begin(name);
    deps.log.write('warn', 'instances of the stable release are missing; they are started again', {
      scope: name,
      release: stable.release.id,
      attempt: failures,
    });
    const group = { scope, release: stable.release, deployment: stable.deployment, instances: stable.instances };
    await drivers.platform.ensure(group, signal);
  }

  /** The situation is committed with the revision of its routes before these are put in force, as in a deployment. */
  async #reroute(state: ScopeState, fence: number, signal: AbortSignal, drivers: Drivers): Promise<void> {
    const { deps } = this.#options;
    const { scope } = state.situation;
    const instances = await drivers.platform.list(scope);
    const { routes, cool } = choresOf(state.situation, instances, undefined, deps.clock.now());
    const { warm, ...rest } = state.situation;
    const kept: Situation = cool || warm === undefined ? rest : { ...rest, warm };
    const situation: Situation = { ...kept, revision: routes?.revision ?? kept.revision };
    await deps.store.commit({ scope, fence, effects: [], settled: [], situation });
    if (routes !== undefined) await drivers.router.apply(routes, signal);
  }
}

/** Whether anything of the scope runs or is routed; a router that cannot say may have a part of it. */
async function isThere({ platform, router }: Drivers, scope: Scope): Promise<boolean> {
  if ((await platform.list(scope)).length > 0) return true;
  try {
    return (await router.read(scope)) !== undefined;
  } catch (error) {
    if (error instanceof Failure) return true;
    throw error;
  }
}
