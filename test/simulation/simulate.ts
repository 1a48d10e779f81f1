// One simulated history from one seed: deployments, commands, faults and crashes, checked after every step.

import { Failure } from '../../src/base/failure.ts';
import type { Rollout } from '../../src/core/rollout/rollout.ts';
import { isWaiting } from '../../src/core/rollout/status.ts';
import type { Command } from '../../src/core/rollout/event.ts';
import { releaseId } from '../../src/core/release-id.ts';
import { Checker, Violation } from './checker.ts';
import { Incarnation } from './incarnation.ts';
import { Random } from './random.ts';
import { drawSpec, scope } from './specs.ts';
import { startAt, World } from './world.ts';

export interface Outcome {
  readonly seed: number;
  readonly steps: number;
  readonly deployments: number;
  /** How the deployments ended. */
  readonly ends: readonly string[];
  readonly crashes: number;
}

export interface Variation {
  /** Breaks the world on purpose, to see whether the checker notices. */
  readonly breakWorld?: ((world: World) => void) | undefined;
}

const actor = 'sim@sim';
/** Simulated time after which nothing may still be under way. */
const horizonMs = 30 * 60_000;
const stepsAtMost = 200_000;

/** Throws a `Violation` that names the seed when something does not hold. */
export async function simulate(seed: number, variation: Variation = {}): Promise<Outcome> {
  const simulation = new Simulation(seed, variation);
  try {
    return await simulation.run();
  } catch (error) {
    if (error instanceof Error) error.message += ` (seed ${seed})\n${await simulation.story()}`;
    throw error;
  }
}

class Simulation {
  readonly #seed: number;
  readonly #random: Random;
  /** Of its own, so that histories without a removal are what they would be otherwise. */
  readonly #removals: Random;
  readonly #world: World;
  readonly #checker: Checker;
  readonly #end = new AbortController();
  #current: Incarnation;
  /** Every controller that was ever started; a frozen one lives on beside its successor. */
  readonly #all: Incarnation[] = [];
  #incarnations = 0;
  #steps = 0;
  #deployments = 0;
  #crashes = 0;
  #slow = false;

  constructor(seed: number, variation: Variation) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#removals = new Random(-seed);
    const faulty = this.#random.chance(0.7);
    this.#world = new World(this.#random, { chance: faulty ? 0.08 : 0, budget: this.#random.between(0, 12) });
    variation.breakWorld?.(this.#world);
    this.#checker = new Checker(this.#world);
    this.#current = this.#boot();
  }

  /** What happened, for a person who looks at a failing seed. */
  async story(): Promise<string> {
    const records = await this.#world.store.records({ scope, limit: 1000 });
    const lines = [
      ...records.map(
        (record) =>
          [
            record.at,
            `${record.deployment} v${record.version} ${record.from} → ${record.to}: ${record.words}`,
          ] as const,
      ),
      ...this.#world.journal.map((entry) => [entry.at, entry.text] as const),
    ];
    return lines
      .toSorted((a, b) => a[0] - b[0])
      .slice(-80)
      .map(([at, text]) => `  ${((at - startAt) / 1000).toFixed(1)} s  ${text}`)
      .join('\n');
  }

  async run(): Promise<Outcome> {
    void this.#world.traffic(this.#end.signal);
    this.#current.engine.serve();
    const rounds = this.#random.between(2, 3);
    for (let round = 1; round <= rounds; round += 1) await this.#round(round);
    await this.#comeToRest();
    this.#end.abort();
    const rollouts = await this.#world.store.rollouts({ scope, limit: 20 });
    return {
      seed: this.#seed,
      steps: this.#steps,
      deployments: this.#deployments,
      ends: rollouts.map((rollout) => `${rollout.plan.strategy} ${rollout.status}`),
      crashes: this.#crashes,
    };
  }

  #boot(): Incarnation {
    this.#incarnations += 1;
    this.#world.note(`controller c-${this.#incarnations} starts`);
    const crashAfter =
      this.#incarnations <= 4 && this.#random.chance(0.25) ? this.#random.between(5, 300) : Number.POSITIVE_INFINITY;
    const incarnation = new Incarnation(this.#world, this.#incarnations, crashAfter);
    this.#all.push(incarnation);
    return incarnation;
  }

  async #round(round: number): Promise<void> {
    const started = await this.#ask(() => this.#start(round));
    if (started !== undefined) this.#deployments += 1;
    const mischief = this.#random.between(0, 3);
    for (let act = 0; act < mischief; act += 1) {
      await this.#pass(this.#random.between(0, 6_000));
      await this.#mischief();
    }
    await this.#settle();
    if (this.#removals.chance(0.15)) await this.#remove();
  }

  /** Sometimes its controller does not live to see the end of it. */
  async #remove(): Promise<void> {
    this.#world.note('the service is taken away');
    this.#current.engine.remove({ scope, reason: 'a person said so', actor }).catch((error: unknown) => {
      if (!(error instanceof Failure)) this.#world.defect ??= String(error);
    });
    if (this.#removals.chance(0.5)) {
      await this.#pass(this.#removals.between(0, 3_000));
      await (this.#removals.chance(0.5) ? this.#crash() : this.#freeze());
    }
    await this.#pass(this.#removals.between(0, 60_000));
  }

  #start(round: number): Promise<Rollout> {
    if (round > 2 && this.#random.chance(0.4)) {
      return this.#current.engine.rollback({ scope, reason: 'a person said so', actor });
    }
    const source = `/src/v${round}`;
    const spec = drawSpec(this.#random, source);
    this.#world.releases.put(source, { 'server.js': `v${round}` });
    const behaviour =
      round === 1 ? 'good' : this.#random.pick(['good', 'good', 'errors', 'crashes', 'unhealthy', 'slow'] as const);
    return this.#deploy(spec, behaviour);
  }

  async #deploy(
    spec: ReturnType<typeof drawSpec>,
    behaviour: 'good' | 'errors' | 'crashes' | 'unhealthy' | 'slow',
  ): Promise<Rollout> {
    this.#slow ||= behaviour === 'slow';
    const id = releaseId(scope.service, await this.#identify(spec), spec.run);
    if (behaviour === 'errors') this.#world.serve(id, { errors: 0.8 });
    if (behaviour === 'crashes') this.#world.platform.behave(id, { crashesAtStart: 'exit code 3' });
    if (behaviour === 'unhealthy') this.#world.platform.behave(id, { unhealthy: true });
    if (behaviour === 'slow')
      this.#world.platform.behave(id, { healthyAfterMs: this.#random.between(1_000, 9_000), endsAfterMs: 3_000 });
    return this.#current.engine.deploy({ spec, actor });
  }

  /** The artifact's digest, asked until no fault strikes. */
  async #identify(spec: ReturnType<typeof drawSpec>) {
    for (;;) {
      try {
        return await this.#world.releases.identify(spec.source);
      } catch {
        continue;
      }
    }
  }

  async #mischief(): Promise<void> {
    const act = this.#random.pick(['command', 'command', 'crash', 'freeze', 'instance', 'clock', 'feed'] as const);
    this.#world.note(`mischief: ${act}`);
    if (act === 'command') await this.#order(this.#drawCommand());
    if (act === 'crash') await this.#crash();
    if (act === 'freeze') await this.#freeze();
    if (act === 'instance') this.#world.crashInstance();
    // A release that warms up by the clock would fall ill again when the clock goes back; real ones do not.
    if (act === 'clock' && !this.#slow) this.#world.clock.set(this.#world.clock.now() - this.#random.between(0, 5_000));
    if (act === 'feed') this.#world.router.push(scope, [], this.#random.between(1, 1_000));
  }

  #drawCommand(): Command {
    return this.#random.pick<Command>([
      { kind: 'promote', full: false },
      { kind: 'promote', full: true },
      { kind: 'pause', reason: 'a person said so' },
      { kind: 'resume' },
      { kind: 'abort', reason: 'a person said so' },
    ]);
  }

  async #crash(): Promise<void> {
    this.#current.crash();
    await this.#reboot();
  }

  async #reboot(): Promise<void> {
    this.#crashes += 1;
    if (this.#random.chance(0.5)) this.#world.declareDead(this.#current.holder.controller);
    await this.#goOn(this.#random.between(0, 10_000));
    this.#current = this.#boot();
    this.#current.engine.serve();
  }

  /** The controller is stopped for so long that another one takes its lease, and then goes on as if nothing had been. */
  async #freeze(): Promise<void> {
    this.#current.freeze(this.#random.between(1_000, 20_000));
    await this.#pass(this.#random.between(1_000, 8_000));
    this.#crashes += 1;
    this.#current = this.#boot();
    this.#current.engine.serve();
  }

  /** Until no deployment is under way; where a person is waited for, one comes. */
  async #settle(): Promise<void> {
    const until = this.#world.clock.now() + horizonMs;
    while (this.#world.clock.now() < until) {
      await this.#pass(1_000);
      const [state] = await this.#world.store.scopes(scope);
      if (state?.active === undefined) return;
      if (isWaiting(state.active.status) && this.#random.chance(0.2)) {
        const kind = this.#random.pick(['promote', 'abort', 'resume'] as const);
        const command: Command =
          kind === 'promote' ? { kind, full: false } : kind === 'abort' ? { kind, reason: 'enough' } : { kind };
        await this.#order(command);
      }
    }
  }

  /** Long enough for warm releases to be let go, orphans to be found, and lost leases to end. */
  async #comeToRest(): Promise<void> {
    await this.#pass(60_000);
    await this.#settle();
    await this.#pass(30_000);
    await this.#checker.atRest();
  }

  /** A person's command reaches the controller that holds the lease, as the server's socket does. */
  async #order(command: Command): Promise<void> {
    const [state] = await this.#world.store.scopes(scope);
    const holder = this.#all.find(
      (incarnation) => !incarnation.dead && incarnation.holder.controller === state?.lease?.holder.controller,
    );
    await this.#ask(() => (holder ?? this.#current).engine.command(scope, command, { actor }));
  }

  /** Asks the controller for something; refusals are answers, a controller that crashes meanwhile gives none. */
  async #ask(request: () => Promise<Rollout>): Promise<Rollout | undefined> {
    try {
      return await this.#until(request());
    } catch (error) {
      if (error instanceof Failure) return undefined;
      throw error;
    }
  }

  /** Lets the world go on until the promise settles, or the controller that should settle it is gone. */
  async #until<T>(promise: Promise<T>): Promise<T | undefined> {
    const state: { settled: boolean } = { settled: false };
    const watched = promise.finally(() => {
      state.settled = true;
    });
    watched.catch(() => undefined);
    const limit = this.#world.clock.now() + horizonMs;
    while (!state.settled) {
      await this.#step();
      if (state.settled) break;
      if (this.#current.dead || this.#world.clock.now() > limit) return undefined;
    }
    return watched;
  }

  /** Time passes; a controller that crashes meanwhile is started again. */
  async #pass(durationMs: number): Promise<void> {
    const until = this.#world.clock.now() + durationMs;
    while (this.#world.clock.now() < until) {
      await this.#step();
      if (this.#current.dead) await this.#reboot();
    }
  }

  async #goOn(durationMs: number): Promise<void> {
    const until = this.#world.clock.now() + durationMs;
    while (this.#world.clock.now() < until) await this.#step();
  }

  /** One wake-up of one sleeper, all that follows from it at once, and a look at the world. */
  async #step(): Promise<void> {
    this.#steps += 1;
    if (this.#steps > stepsAtMost) throw new Violation('everything ends', `still busy after ${stepsAtMost} steps`);
    await new Promise(setImmediate);
    await this.#checker.afterStep();
    if (!this.#world.clock.step()) throw new Violation('everything ends', 'nothing will ever happen again');
    await new Promise(setImmediate);
  }
}
