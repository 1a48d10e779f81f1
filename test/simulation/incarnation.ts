// One controller process in the simulated world: the real engine behind ports that can be cut off, as by kill -9, or frozen for a while.

import { Engine } from '../../src/engine/engine.ts';
import type { EngineTiming } from '../../src/engine/dependencies.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { Metrics } from '../../src/ports/metrics.ts';
import type { Holder } from '../../src/ports/store.ts';
import { never } from './faults.ts';
import type { World } from './world.ts';

export const timing: EngineTiming = {
  leaseMs: 6_000,
  retryFirstMs: 200,
  retryLongestMs: 2_000,
  effectMs: 10_000,
  judgeMs: 500,
  checkpointMs: 1_000,
  liveMs: 5_000,
  superviseMs: 1_000,
};

/** What a controller reaches of its world. */
export type Surroundings = Pick<
  World,
  'clock' | 'ids' | 'metrics' | 'platform' | 'router' | 'releases' | 'store' | 'prober' | 'log' | 'knowsDead'
>;

export class Incarnation {
  readonly engine: Engine;
  readonly holder: Holder;
  readonly #clock: Clock;
  #dead = false;
  #thawed: Promise<void> | undefined;
  /** Calls until it crashes by itself; counts down. */
  #callsLeft: number;

  constructor(world: Surroundings, number: number, crashAfterCalls: number) {
    this.#clock = world.clock;
    this.#callsLeft = crashAfterCalls;
    this.holder = { controller: `c-${number}`, host: 'sim', pid: number, started: String(number) };
    const cut = <T extends object>(port: T): T => this.#cut(port);
    this.engine = new Engine({
      store: cut(world.store),
      drivers: () => ({ platform: cut(world.platform), router: cut(world.router) }),
      releases: cut(world.releases),
      prober: cut(world.prober),
      metrics: () => cut<Metrics>(world.metrics),
      clock: { now: () => world.clock.now(), sleep: (ms, signal) => this.#alive(() => world.clock.sleep(ms, signal)) },
      ids: world.ids,
      log: world.log,
      holder: this.holder,
      isDead: async (holder) => world.knowsDead(holder.controller),
      timing,
    });
  }

  get dead(): boolean {
    return this.#dead;
  }

  /** From now on nothing it does has any effect, and nothing it waits for ever happens. */
  crash(): void {
    this.#dead = true;
  }

  /** Crashes by itself within so many calls from now. */
  crashAfter(calls: number): void {
    this.#callsLeft = calls;
  }

  /** As a process that is stopped and continued: every call waits until it thaws. */
  freeze(forMs: number): void {
    this.#thawed = this.#clock.sleep(forMs).then(() => {
      this.#thawed = undefined;
    });
  }

  /** Every method of a port goes through here, on the way in and on the way back. */
  #cut<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name, target);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) => {
          if (name === 'feed' || name === 'logs') return Reflect.apply(member, target, args);
          return this.#alive(() => Reflect.apply(member, target, args) as Promise<unknown>);
        };
      },
    });
  }

  async #alive<T>(call: () => Promise<T>): Promise<T> {
    await this.#gate();
    try {
      return await call();
    } finally {
      await this.#gate();
    }
  }

  async #gate(): Promise<void> {
    if (this.#thawed !== undefined) await this.#thawed;
    this.#callsLeft -= 1;
    if (this.#callsLeft < 0) this.#dead = true;
    if (this.#dead) await never();
  }
}
