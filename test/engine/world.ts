// The world of the engine's tests: memory drivers that note what they are asked, traffic, and a clock that moves only when a test waits.

import assert from 'node:assert/strict';
import { Failure, failureData } from '../../src/base/failure.ts';
import type { FailureCode } from '../../src/base/failure-catalogue.ts';
import type { CounterReading } from '../../src/core/metrics/counter-reading.ts';
import type { CounterQuestion } from '../../src/core/metrics/counters.ts';
import { countsNothing, type NoNumber } from '../../src/core/metrics/question.ts';
import type { DeploySpec } from '../../src/core/plan/spec.ts';
import { releaseId } from '../../src/core/release-id.ts';
import type { Command } from '../../src/core/rollout/event.ts';
import type { EventRecord } from '../../src/core/rollout/record.ts';
import type { Rollout } from '../../src/core/rollout/rollout.ts';
import { isFinal, type Status } from '../../src/core/rollout/status.ts';
import type { Routes } from '../../src/core/routes.ts';
import { SimulatedClock } from '../../src/drivers/clock/simulated-clock.ts';
import { createSequentialIds } from '../../src/drivers/ids/sequential-ids.ts';
import { createMemoryPlatform, type MemoryPlatformCall } from '../../src/drivers/platform/memory/memory-platform.ts';
import { MemoryProber, type MemoryAnswer, type MemoryQuestion } from '../../src/drivers/prober/memory/driver.ts';
import { createMemoryReleases } from '../../src/drivers/releases/memory/memory-releases.ts';
import { MemoryMetrics, type MemoryMetric } from '../../src/drivers/metrics/memory/driver.ts';
import { MemoryRouter, type RouterFault } from '../../src/drivers/router/memory/driver.ts';
import { createMemoryStore, type StoreFaults } from '../../src/drivers/store/memory/driver.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { ScopeState } from '../../src/ports/store.ts';
import { Incarnation } from '../simulation/incarnation.ts';
import { canary, scope, specWith } from './specs.ts';

export const actor = 'ann@desk';
const startAt = 1_700_000_000_000;

export class EngineWorld {
  readonly clock = new SimulatedClock(startAt);
  readonly ids = createSequentialIds();
  readonly storeFaults: StoreFaults = {};
  readonly store = createMemoryStore(this.storeFaults);
  readonly releases = createMemoryReleases({ clock: this.clock });
  readonly router = new MemoryRouter({ clock: this.clock, fault: (call) => this.#onRouter(call) });
  readonly platform = createMemoryPlatform({ clock: this.clock, fault: (call) => this.#onPlatform(call) });
  readonly metrics = new MemoryMetrics({
    clock: this.clock,
    answer: ({ query, values }) => this.metric(query, this.version(values.release)),
    counted: (question) => this.counted(question),
    past: (question) => this.past(question),
  });
  /** What a metric source has counted; exchanged at any time. */
  counted: (question: CounterQuestion) => CounterReading | NoNumber | 'silent' = () => countsNothing;
  past: (question: CounterQuestion) => readonly CounterReading[] = () => [];
  /** Requests that each version has had, whatever it answered. */
  readonly served = new Map<string, number>();
  /** What a metric source says of a version; exchanged at any time. */
  metric: (query: string, version: string) => MemoryMetric = () => 0;
  readonly prober = new MemoryProber({ clock: this.clock, answer: (question) => this.#answer(question) });
  readonly log = {
    write: (level: string, message: string, fields?: Readonly<Record<string, unknown>>): void => {
      this.logged.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`);
    },
  };
  /** `warn …`, `error …`: every line of the engine's log. */
  readonly logged: string[] = [];
  /** What drivers were asked, in order: `routes v1 90 %, v2 10 %`, `ensure v2`, `drain`, `stop v2`. */
  readonly calls: string[] = [];
  /** May fail or delay calls of the router and the platform; exchanged at any time. */
  routerFault: RouterFault | undefined;
  platformFault: ((call: MemoryPlatformCall) => void | Promise<void>) | undefined;
  readonly #names = new Map<string, string>();
  readonly #statuses = new Map<string, number>();
  readonly #errors = new Map<string, number>();
  readonly #owed = new Map<string, number>();
  readonly #dead = new Set<string>();
  #controllers = 0;

  /** A new controller; `serve` makes it look after scopes, as a server does. */
  controller(): Incarnation {
    this.#controllers += 1;
    return new Incarnation(this, this.#controllers, Number.POSITIVE_INFINITY);
  }

  /** Others can tell from now on that this controller does not run any more. */
  declareDead(controller: Incarnation): void {
    this.#dead.add(controller.holder.controller);
  }

  knowsDead(controller: string): boolean {
    return this.#dead.has(controller);
  }

  /** The specification of a version, whose files are put where it says. */
  spec(version: string, changes: Partial<DeploySpec> = {}): DeploySpec {
    const directory = `/src/${version}`;
    this.releases.put(directory, { 'server.js': version });
    return specWith({ source: { kind: 'directory', directory, ignore: [] }, ...changes });
  }

  /** The id of a version's release. */
  async id(version: string, changes: Partial<DeploySpec> = {}): Promise<string> {
    const { source, run } = this.spec(version, changes);
    const id = releaseId(scope.service, await this.releases.identify(source), run);
    this.#names.set(id, version);
    return id;
  }

  async deploy(engine: Engine, version: string, changes: Partial<DeploySpec> = {}): Promise<Rollout> {
    await this.id(version, changes);
    return this.result(engine.deploy({ spec: this.spec(version, changes), actor, label: version }));
  }

  /** Deploys and waits for the end, which must be VERIFIED. */
  async deployed(engine: Engine, version: string, changes: Partial<DeploySpec> = {}): Promise<Rollout> {
    const rollout = await this.ended((await this.deploy(engine, version, changes)).id);
    assert.equal(rollout.status, 'VERIFIED', rollout.reason);
    return rollout;
  }

  /** The id of a canary of v2 over v1 whose controller is dead, as others can tell. */
  async abandoned(): Promise<string> {
    const controller = this.controller();
    await this.deployed(controller.engine, 'v1');
    const { id } = await this.deploy(controller.engine, 'v2', { strategy: canary });
    await this.reaches(id, 'CANARY_WAITING');
    controller.crash();
    this.declareDead(controller);
    return id;
  }

  async command(engine: Engine, command: Command): Promise<Rollout> {
    return this.result(engine.command(scope, command, { actor }));
  }

  async rollback(engine: Engine, to?: string): Promise<Rollout> {
    return this.result(
      engine.rollback({ scope, reason: 'a person said so', actor, ...(to === undefined ? {} : { to }) }),
    );
  }

  /** The share of a version's requests that fail, from now on. */
  errors(version: string, share: number): void {
    this.#errors.set(version, share);
  }

  /** What a version answers at a path, from now on; default 200. */
  answers(version: string, path: string, status: number): void {
    this.#statuses.set(`${version} ${path}`, status);
  }

  /** Requests come in until the signal aborts: ten every 200 ms. */
  async traffic(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      for (let request = 0; request < 10; request += 1) this.#request();
      await this.clock.sleep(200, signal);
    }
  }

  #request(): void {
    const request = this.router.open(scope);
    if (request === undefined) return;
    const instance = this.platform.view().find(({ id }) => id === request.instance);
    const version = this.version(request.release);
    this.served.set(version, (this.served.get(version) ?? 0) + 1);
    const owed = (this.#owed.get(version) ?? 0) + (this.#errors.get(version) ?? 0);
    const fails = owed >= 1 || instance?.state !== 'running';
    this.#owed.set(version, owed >= 1 ? owed - 1 : owed);
    request.end(fails ? 502 : 200);
  }

  /** `v1` for the release of that version. */
  version(release: string): string {
    return this.#names.get(release) ?? release;
  }

  words(routes: Routes | undefined): string {
    const groups = (routes?.groups ?? []).filter((group) => group.share > 0);
    return groups.map((group) => `${this.version(group.release)} ${group.share / 100} %`).join(', ') || 'nothing';
  }

  /** The routes in force, in words. */
  get traffics(): string {
    return this.words(this.router.inForce(scope));
  }

  /** Every routing of traffic since the journal had this length, in order, each told once. */
  routings(since = 0): readonly string[] {
    const routes = this.calls.slice(since).filter((call) => call.startsWith('routes '));
    return routes.map((call) => call.slice(7)).filter((call, index, all) => call !== all[index - 1]);
  }

  /** Running instances as `v1 ×2, v2 ×1`. */
  get running(): string {
    const counts = new Map<string, number>();
    for (const { release, state } of this.platform.view()) {
      const version = this.version(release);
      if (state === 'running') counts.set(version, (counts.get(version) ?? 0) + 1);
    }
    return [...counts].map(([version, count]) => `${version} ×${count}`).join(', ') || 'nothing';
  }

  async state(): Promise<ScopeState> {
    const [state] = await this.store.scopes(scope);
    assert.ok(state !== undefined);
    return state;
  }

  async rollout(id: string): Promise<Rollout> {
    const [rollout] = await this.store.rollouts({ id, limit: 1 });
    assert.ok(rollout !== undefined, `no deployment ${id}`);
    return rollout;
  }

  async records(deployment: string): Promise<readonly EventRecord[]> {
    return this.store.records({ deployment, limit: 1_000 });
  }

  /** The states that a deployment went through, each told once. */
  async path(deployment: string): Promise<string> {
    const states = (await this.records(deployment)).map((record) => record.to);
    return states.filter((state, index) => state !== states[index - 1]).join(' ');
  }

  /** Time passes until the deployment has ended. */
  async ended(id: string): Promise<Rollout> {
    await this.until(`${id} ends`, async () => isFinal((await this.rollout(id)).status));
    return this.rollout(id);
  }

  async reaches(id: string, status: Status): Promise<Rollout> {
    await this.until(`${id} is ${status}`, async () => {
      const { status: now, reason } = await this.rollout(id);
      assert.ok(now === status || !isFinal(now), `${id} ended as ${now}: ${reason ?? ''}`);
      return now === status;
    });
    return this.rollout(id);
  }

  /** Time passes until the condition holds; fails after half an hour of simulated time. */
  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const limit = this.clock.now() + 1_800_000;
    while (!(await condition())) {
      assert.ok(this.clock.now() < limit, `it does not come to this: ${what}\n${this.logged.slice(-5).join('\n')}`);
      await this.#step(what);
    }
  }

  /** So much time passes. */
  async pass(durationMs: number): Promise<void> {
    let over = false;
    void this.clock.sleep(durationMs).then(() => (over = true));
    await this.until(`${durationMs} ms pass`, () => over);
    await settled();
  }

  /** What a promise comes to, while time passes. */
  async result<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const watched = promise.finally(() => (done = true));
    watched.catch(() => undefined);
    await settled();
    await this.until('an answer', () => done);
    return watched;
  }

  /** What it fails with, which must be a failure of this code. */
  async refused(promise: Promise<unknown>, code: FailureCode): Promise<Failure> {
    const thrown = await this.result(
      promise.then(
        () => undefined,
        (error: unknown) => error,
      ),
    );
    assert.ok(
      thrown instanceof Failure,
      `expected ${code}, but ${thrown === undefined ? 'it worked' : failureData(thrown).message}`,
    );
    assert.equal(thrown.code, code, thrown.message);
    return thrown;
  }

  async #step(what: string): Promise<void> {
    await settled();
    assert.ok(this.clock.step(), `nothing will ever happen again, and not this: ${what}`);
    await settled();
  }

  async #onRouter(call: Parameters<RouterFault>[0]): Promise<void> {
    await this.routerFault?.(call);
    if (call.phase === 'before') return;
    if (call.operation === 'apply') this.calls.push(`routes ${this.words(call.routes)}`);
    if (call.operation === 'drain' || call.operation === 'remove') this.calls.push(call.operation);
  }

  async #onPlatform(call: MemoryPlatformCall): Promise<void> {
    await this.platformFault?.(call);
    if (call.moment === 'before' || call.release === undefined || call.operation === 'logs') return;
    this.calls.push(`${call.operation} ${this.version(call.release)}`);
  }

  #answer(question: MemoryQuestion): MemoryAnswer {
    if (question.kind !== 'http') return 'refused';
    const { url } = question.request;
    const port = Number(url.port);
    if (port <= 1) return this.#serviceAnswers(url.pathname, port === 1);
    const health = this.platform.answer({ host: '127.0.0.1', port });
    const instance = this.platform.view().find(({ address }) => address.port === port);
    if (health === 'nobody' || instance === undefined) return 'refused';
    return health === 'unhealthy' ? { status: 503 } : { status: this.#statusOf(instance.release, url.pathname) };
  }

  /** The addresses of the memory router: 0 is the service, 1 its preview. */
  #serviceAnswers(path: string, preview: boolean): MemoryAnswer {
    const request = this.router.open(scope, { preview });
    if (request === undefined) return { status: 503 };
    const status = this.#statusOf(request.release, path);
    request.end(status);
    return { status };
  }

  #statusOf(release: string, path: string): number {
    return this.#statuses.get(`${this.version(release)} ${path}`) ?? 200;
  }
}

/** Everything that follows at once from what has happened has happened. */
async function settled(): Promise<void> {
  await new Promise(setImmediate);
}

/** Runs a test in a world of its own with one controller and traffic; afterwards everything in it ends. */
export function inWorld(
  work: (world: EngineWorld, engine: Engine) => Promise<void>,
  options: { readonly traffic: boolean } = { traffic: true },
): () => Promise<void> {
  return async () => {
    const world = new EngineWorld();
    const over = new AbortController();
    if (options.traffic) void world.traffic(over.signal);
    try {
      await work(world, world.controller().engine);
    } finally {
      over.abort();
    }
    const defect = world.logged.find((line) => line.includes('invariant broken'));
    assert.equal(defect, undefined);
  };
}
