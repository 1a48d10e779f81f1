// The memory platform: instances that exist only as data, for simulations and tests; the same calls give the same result.

import { Failure } from '../../../base/failure.ts';
import type { Address, Instance, InstanceGroup, LogLine } from '../../../core/instance.ts';
import { cutLine } from '../../../core/log-line.ts';
import type { ReleaseId } from '../../../core/release.ts';
import { type Scope, sameScope } from '../../../core/scope.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { LogQuery, Platform, StopRequest } from '../../../ports/platform.ts';
import { MemoryLog } from './memory-log.ts';

/** What the instances of a release do; all of it may be changed while they run. */
export interface MemoryBehaviour {
  /** Ends at every start for this reason, e.g. `exit code 3`. */
  readonly crashesAtStart?: string | undefined;
  /** The program cannot be started at all: `ensure` rejects with `instance.command`. */
  readonly cannotRun?: boolean | undefined;
  /** Never healthy. */
  readonly unhealthy?: boolean | undefined;
  /** Healthy only so long after its start. */
  readonly healthyAfterMs?: number | undefined;
  /** How long it takes to end when it is asked to; beyond the grace it is ended by force. */
  readonly endsAfterMs?: number | undefined;
}

/** One call, as a fault hook sees it. */
export interface MemoryPlatformCall {
  readonly operation: 'ensure' | 'list' | 'stop' | 'forget' | 'logs';
  /** `before`: nothing is done yet. `after`: all is done, but the caller does not know. */
  readonly moment: 'before' | 'after';
  readonly scope: Scope;
  readonly release?: ReleaseId | undefined;
}

export interface MemoryPlatformOptions {
  readonly clock: Clock;
  /** Called around every operation; may reject (the call then rejects with it) or take its time. */
  readonly fault?: ((call: MemoryPlatformCall) => void | Promise<void>) | undefined;
  readonly firstPort?: number | undefined;
}

export interface MemoryInstance extends Instance {
  readonly scope: Scope;
}

export interface MemoryPlatform extends Platform {
  /** Says what the instances of a release do from now on; the default serves and is healthy at once. */
  behave(release: ReleaseId, behaviour: MemoryBehaviour): void;
  /** All instances of all scopes as they are now. */
  view(): readonly MemoryInstance[];
  /** Makes a running instance end by itself; does nothing to others. */
  crash(instance: string, exit?: string): void;
  /** What a health check at this address finds. */
  answer(address: Address): 'healthy' | 'unhealthy' | 'nobody';
  /** Makes an instance write one line to its standard output. */
  write(instance: string, text: string): void;
}

export function createMemoryPlatform(options: MemoryPlatformOptions): MemoryPlatform {
  return new InMemory(options);
}

class InMemory implements MemoryPlatform {
  readonly #options: MemoryPlatformOptions;
  readonly #instances = new Map<string, MemoryInstance>();
  /** Instances that were asked to end and have not ended yet. */
  readonly #ending = new Set<string>();
  readonly #behaviours = new Map<ReleaseId, MemoryBehaviour>();
  readonly #log = new MemoryLog();
  #started = 0;

  constructor(options: MemoryPlatformOptions) {
    this.#options = options;
  }

  /** Nothing is run, so nothing can be missing. */
  async check(): Promise<void> {}

  async ensure(group: InstanceGroup, signal?: AbortSignal): Promise<readonly Instance[]> {
    signal?.throwIfAborted();
    return this.#guarded({ operation: 'ensure', scope: group.scope, release: group.release.id }, async () =>
      this.#ensure(group),
    );
  }

  async list(scope: Scope): Promise<readonly Instance[]> {
    return this.#guarded({ operation: 'list', scope }, async () => this.#of(scope).map(plain));
  }

  async stop(request: StopRequest): Promise<void> {
    const { scope, release } = request;
    await this.#guarded({ operation: 'stop', scope, release }, () => this.#stop(request));
  }

  async forget(scope: Scope): Promise<void> {
    await this.#guarded({ operation: 'forget', scope }, async () =>
      this.#log.forget(scope, (instance) => this.#instances.has(instance)),
    );
  }

  async *logs(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogLine> {
    await this.#guarded({ operation: 'logs', scope: query.scope, release: query.release }, async () => {});
    yield* this.#log.read(query, (instance) => this.#instances.has(instance), signal);
  }

  behave(release: ReleaseId, behaviour: MemoryBehaviour): void {
    this.#behaviours.set(release, behaviour);
  }

  view(): readonly MemoryInstance[] {
    return [...this.#instances.values()];
  }

  crash(id: string, exit = 'exit code 3'): void {
    const instance = this.#instances.get(id);
    if (instance?.state === 'running') this.#instances.set(id, { ...instance, state: 'exited', exit });
  }

  answer(address: Address): 'healthy' | 'unhealthy' | 'nobody' {
    const found = this.view().find(
      (each) => each.state === 'running' && each.address.host === address.host && each.address.port === address.port,
    );
    if (found === undefined) return 'nobody';
    const { unhealthy, healthyAfterMs } = this.#behaviours.get(found.release) ?? {};
    const warm = this.#options.clock.now() >= found.startedAt + (healthyAfterMs ?? 0);
    return unhealthy !== true && warm ? 'healthy' : 'unhealthy';
  }

  write(id: string, text: string): void {
    this.#log.write(id, 'stdout', cutLine(text));
  }

  async #guarded<T>(call: Omit<MemoryPlatformCall, 'moment'>, act: () => Promise<T>): Promise<T> {
    await this.#options.fault?.({ ...call, moment: 'before' });
    const result = await act();
    await this.#options.fault?.({ ...call, moment: 'after' });
    return result;
  }

  #of(scope: Scope, release?: ReleaseId): MemoryInstance[] {
    return this.view().filter(
      (each) => sameScope(each.scope, scope) && (release === undefined || each.release === release),
    );
  }

  #ensure(group: InstanceGroup): readonly Instance[] {
    const { release, scope, deployment } = group;
    const ours = this.#of(scope, release.id).filter((each) => !this.#ending.has(each.id));
    let missing = group.instances - ours.filter((each) => each.state === 'running').length;
    if (missing > 0 && this.#behaviours.get(release.id)?.cannotRun === true) throw cannotRun(group);
    for (const each of ours) {
      if (each.state === 'exited' && missing > 0) {
        this.#start({ ...each, deployment, restarts: each.restarts + 1 });
        missing -= 1;
      } else this.#instances.set(each.id, { ...each, deployment });
    }
    for (; missing > 0; missing -= 1) this.#start(this.#fresh(group));
    return this.#of(scope, release.id)
      .filter((each) => !this.#ending.has(each.id))
      .map(plain);
  }

  #fresh(group: InstanceGroup): MemoryInstance {
    this.#started += 1;
    return {
      scope: group.scope,
      id: `${group.release.id.replace('@', '-')}-${this.#started}`,
      release: group.release.id,
      deployment: group.deployment,
      address: { host: '127.0.0.1', port: (this.#options.firstPort ?? 20_000) + this.#started },
      state: 'running',
      startedAt: 0,
      restarts: 0,
    };
  }

  #start(instance: MemoryInstance): void {
    const { exit: _, ...rest } = instance;
    const running: MemoryInstance = { ...rest, state: 'running', startedAt: this.#options.clock.now() };
    this.#instances.set(instance.id, running);
    this.#log.open(instance);
    const exit = this.#behaviours.get(instance.release)?.crashesAtStart;
    if (exit === undefined) return;
    this.#log.write(instance.id, 'stderr', 'last words');
    this.crash(instance.id, exit);
  }

  async #stop(request: StopRequest): Promise<void> {
    const asked = this.#of(request.scope, request.release).filter(
      (each) => request.instances?.includes(each.id) ?? true,
    );
    for (const each of asked) this.#ending.add(each.id);
    const endsAfterMs = this.#behaviours.get(request.release)?.endsAfterMs ?? 0;
    const waits = asked.some((each) => each.state === 'running') && endsAfterMs > 0;
    if (waits) await this.#options.clock.sleep(Math.min(endsAfterMs, request.graceMs));
    for (const each of asked) {
      this.#instances.delete(each.id);
      this.#ending.delete(each.id);
    }
  }
}

function plain(instance: MemoryInstance): Instance {
  const { scope: _, ...rest } = instance;
  return rest;
}

function cannotRun(group: InstanceGroup): Failure {
  const [program] = group.release.run.command;
  return new Failure('instance.command', `The program ${program} of ${group.release.id} cannot be run.`, {
    at: 'release.command',
    remedy: 'Correct `release.command`.',
  });
}
