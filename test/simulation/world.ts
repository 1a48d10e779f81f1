// The simulated world: memory drivers, traffic and a clock that outlive every controller.

import type { Log } from '../../src/base/log.ts';
import { SimulatedClock } from '../../src/drivers/clock/simulated-clock.ts';
import { createSequentialIds } from '../../src/drivers/ids/sequential-ids.ts';
import { createMemoryPlatform, type MemoryPlatform } from '../../src/drivers/platform/memory/memory-platform.ts';
import { createMemoryReleases, type MemoryReleases } from '../../src/drivers/releases/memory/memory-releases.ts';
import { MemoryMetrics } from '../../src/drivers/metrics/memory/driver.ts';
import { MemoryRouter } from '../../src/drivers/router/memory/driver.ts';
import { createMemoryStore, type StoreCall } from '../../src/drivers/store/memory/driver.ts';
import type { Prober } from '../../src/ports/prober.ts';
import type { Store } from '../../src/ports/store.ts';
import { checkName } from '../../src/core/validation/check.ts';
import { memoryAddress, memoryPreviewAddress } from '../../src/engine/validate-release.ts';
import { Faults, type FaultPlan } from './faults.ts';
import type { Random } from './random.ts';
import { scope } from './specs.ts';

/** How a release serves: the share of its requests that fail. */
export interface Serving {
  readonly errors: number;
}

/** Epoch milliseconds at which every simulation begins. */
export const startAt = 1_700_000_000_000;

export class World {
  readonly clock = new SimulatedClock(startAt);
  readonly ids = createSequentialIds();
  readonly platform: MemoryPlatform;
  readonly router: MemoryRouter;
  readonly releases: MemoryReleases;
  readonly store: Store;
  readonly prober: Prober;
  readonly metrics: MemoryMetrics;
  readonly log: Log;
  readonly random: Random;
  /** Log lines, for a failing seed. */
  readonly journal: { readonly at: number; readonly text: string }[] = [];
  /** The highest share that was ever committed for each deployment. */
  readonly committed = new Map<string, number>();
  /** The first assertion of the engine that failed. */
  defect: string | undefined;
  readonly #serving = new Map<string, Serving>();
  readonly #dead = new Set<string>();
  /** When instances were made to end by themselves. */
  readonly crashedAt = new Map<string, number>();

  constructor(random: Random, plan: FaultPlan) {
    this.random = random;
    const faults = new Faults(random, this.clock, plan);
    const fault = ({ operation }: { readonly operation: string }) =>
      operation === 'logs' || operation === 'list' || operation === 'read' ? undefined : faults.strike(operation);
    this.platform = createMemoryPlatform({ clock: this.clock, fault });
    this.metrics = new MemoryMetrics({
      clock: this.clock,
      answer: ({ values }) => faults.strikeAnswer() ?? this.#serving.get(values.release)?.errors ?? 0,
    });
    this.router = new MemoryRouter({ clock: this.clock, fault });
    this.releases = createMemoryReleases({ clock: this.clock, fault });
    this.store = createMemoryStore({ before: faults.strikeStore, after: (call) => this.#noteShare(call) });
    this.prober = { probe: async (check, target) => this.#probe(checkName(check), target.address.port) };
    this.log = {
      write: (level, message, fields) => {
        if (JSON.stringify(fields ?? {}).includes('invariant broken'))
          this.defect ??= `${message} ${JSON.stringify(fields)}`;
        if (level !== 'debug') this.note(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
      },
    };
  }

  note(text: string): void {
    this.journal.push({ at: this.clock.now(), text: text.slice(0, 400) });
  }

  /** Noted at the commit itself: between two looks from outside several may happen. */
  #noteShare(call: StoreCall): void {
    const rollout = call.kind === 'commit' ? call.change.rollout : undefined;
    if (rollout !== undefined)
      this.committed.set(rollout.id, Math.max(this.committed.get(rollout.id) ?? 0, rollout.share));
  }

  serve(release: string, serving: Serving): void {
    this.#serving.set(release, serving);
  }

  /** Whether the others can tell that this controller does not run any more. */
  declareDead(controller: string): void {
    this.#dead.add(controller);
  }

  knowsDead(controller: string): boolean {
    return this.#dead.has(controller);
  }

  /** One instance of the given release ends by itself; none when it has none. */
  crashInstance(): void {
    const running = this.platform.view().filter((instance) => instance.state === 'running');
    if (running.length === 0) return;
    const victim = this.random.pick(running);
    this.crashedAt.set(victim.id, this.clock.now());
    this.platform.crash(victim.id);
  }

  /** Requests come in for as long as the promise is not settled. */
  async traffic(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (let request = 0; request < 8; request += 1) this.#request();
      await this.clock.sleep(500, signal);
    }
  }

  #request(): void {
    const request = this.router.open(scope, this.random.chance(0.05) ? { headers: { 'x-canary': 'yes' } } : {});
    if (request === undefined) return;
    const alive = this.platform
      .view()
      .some((instance) => instance.id === request.instance && instance.state === 'running');
    const fails = !alive || this.random.chance(this.#serving.get(request.release)?.errors ?? 0);
    request.end(fails ? 502 : 200);
  }

  #probe(name: string, port: number) {
    const passed = this.#answers(port);
    return { name, passed, attempts: 1, durationMs: 1, reason: passed ? 'answered' : 'did not answer' };
  }

  #answers(port: number): boolean {
    if (port === memoryAddress.port) return this.#serviceAnswers(false);
    if (port === memoryPreviewAddress.port) return this.#serviceAnswers(true);
    return this.platform.answer({ host: '127.0.0.1', port }) === 'healthy';
  }

  #serviceAnswers(preview: boolean): boolean {
    const request = this.router.open(scope, { preview });
    request?.end(200);
    return request !== undefined;
  }
}
