// The Docker platform: instances are containers of an engine, which outlive the controller and are found again by their names.

import { Failure } from '../../../base/failure.ts';
import { type Log, silentLog } from '../../../base/log.ts';
import type { ContainerRun } from '../../../core/container.ts';
import type { Instance, InstanceGroup, LogLine } from '../../../core/instance.ts';
import type { DockerPlatformSpec } from '../../../core/plan/spec.ts';
import type { Release, RunSpec } from '../../../core/release.ts';
import type { Scope } from '../../../core/scope.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { LogQuery, Platform, StopRequest } from '../../../ports/platform.ts';
import { releaseVariables, type Variables } from '../environment-values.ts';
import { checkAdoption, giveBack, takeOver } from './adoption.ts';
import { checkContainer, checkEngine } from './checks.ts';
import { connectEngine } from './connection.ts';
import { EngineApi } from './engine-api.ts';
import { findImage, pullImage } from './images.ts';
import { readLogs } from './instance-logs.ts';
import { instanceOf, type Member, membersOf } from './members.ts';
import { changedName, type Realm } from './names.ts';
import { prepareNetwork } from './networks.ts';
import { choosePorts } from './ports.ts';
import { type Preparation, Starter, type StartStep, type Started, unique } from './starter.ts';

export interface DockerPlatformOptions {
  readonly spec: DockerPlatformSpec;
  /** Letters and digits that controllers with one store share: others at the same engine leave their containers alone. */
  readonly owner: string;
  readonly clock: Clock;
  readonly log?: Log | undefined;
  /** The controller's environment, in which references are looked up; by default the real one. */
  readonly environment?: Variables | undefined;
  /** Stopped containers per scope that are kept for their output. */
  readonly keepStopped?: number | undefined;
  /** Called at each point of a start at which a kill of the controller makes a difference; for tests. */
  readonly onStep?: ((step: StartStep) => void) | undefined;
}

export function createDockerPlatform(options: DockerPlatformOptions): Platform {
  return new Containers(options);
}

/** How often a start is tried anew because another controller, or another program on a port, was faster. */
const mostTurns = 50;
const turnMs = 50;

class Containers implements Platform {
  readonly #options: DockerPlatformOptions;
  readonly #api: EngineApi;
  readonly #starter: Starter;

  constructor(options: DockerPlatformOptions) {
    this.#options = options;
    this.#api = new EngineApi(connectEngine(options.spec.engine, options.clock));
    this.#starter = new Starter(this.#api, options.onStep ?? (() => {}));
  }

  async check(run: RunSpec): Promise<void> {
    const container = containerOf(run);
    await checkEngine(this.#api);
    await checkContainer(this.#api, container, this.#options.spec.engine);
    const variables = await releaseVariables(run, this.#options.environment ?? process.env);
    const { adopt } = this.#options.spec;
    if (adopt !== undefined) return checkAdoption(this.#api, adopt, container, variables);
    await this.#choosePorts(1, new Set());
  }

  async ensure(group: InstanceGroup, signal?: AbortSignal): Promise<readonly Instance[]> {
    signal?.throwIfAborted();
    const refusedPorts = new Set<number>();
    let preparation: Preparation | undefined;
    await this.#adopt(group);
    for (let turn = 0; turn < mostTurns; turn += 1) {
      const members = await this.#takenOver(group);
      const missing = group.instances - members.filter(({ state }) => state === 'running').length;
      if (missing <= 0) return this.#instances(members);
      signal?.throwIfAborted();
      preparation ??= await this.#prepare(group, signal);
      const outcomes = await this.#start(preparation, members, missing, refusedPorts);
      for (const outcome of outcomes) if (typeof outcome === 'object') refusedPorts.add(outcome.taken);
      // Who was faster is given the time to go on.
      // Those that ended right away are for the caller to judge: starting them over and over would hide it.
      if (outcomes.every((outcome) => outcome === 'started')) return this.#instances(await this.#takenOver(group));
      if (outcomes.includes('again')) await this.#options.clock.sleep(turnMs, signal);
    }
    throw new Failure(
      'platform.failed',
      `The containers of ${group.release.id} could not be started: others were always faster.`,
      {
        at: this.#api.place,
        remedy: 'Look with `docker ps -a` who makes and removes containers of this service.',
      },
    );
  }

  async list(scope: Scope): Promise<readonly Instance[]> {
    return this.#instances(await membersOf(this.#api, this.#realm(scope)));
  }

  async stop(request: StopRequest): Promise<void> {
    const asked = (await membersOf(this.#api, this.#realm(request.scope))).filter(
      (member) =>
        member.release === request.release &&
        (!member.ended || member.state === 'running') &&
        (request.instances?.includes(member.instance) ?? true),
    );
    if (asked.length === 0) return;
    const givesBack = this.#options.spec.adopt !== undefined;
    await Promise.all(
      asked.map((member) =>
        givesBack && member.adopted !== undefined ? giveBack(this.#api, member) : this.#end(member, request.graceMs),
      ),
    );
    await this.#forgetOldest(request.scope);
  }

  /** What Compose made is Compose's again, by its name; it does not run, and nobody ends it when Compose starts it. */
  async forget(scope: Scope): Promise<void> {
    const stopped = (await membersOf(this.#api, this.#realm(scope))).filter(
      ({ ended, state }) => ended && state !== 'running',
    );
    for (const member of stopped)
      await (member.adopted === undefined ? this.#api.remove(member.id) : giveBack(this.#api, member));
  }

  async *logs(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogLine> {
    yield* readLogs(this.#api, this.#options.clock, { ...query, owner: this.#options.owner }, signal);
  }

  /** Before anything is started: what Compose runs is taken over as it is, by whoever comes first. */
  async #adopt(group: InstanceGroup): Promise<void> {
    const { adopt } = this.#options.spec;
    if (adopt === undefined) return;
    const realm = this.#realm(group.scope);
    const members = (await membersOf(this.#api, realm)).filter(
      ({ release, ended }) => release === group.release.id && !ended,
    );
    const running = members.filter(({ state }) => state === 'running').length;
    if (running >= group.instances) return;
    const { release, deployment } = group;
    const wanted = { realm, release, deployment, inside: containerOf(release.run).port };
    const count = await takeOver(this.#api, adopt, wanted, new Set(members.map(({ number }) => number)));
    if (count > 0) this.#options.log?.write('info', 'containers of Compose were taken over', { ...adopt, count });
  }

  /** The group's copies that nobody asked to end, as ones of this deployment. */
  async #takenOver(group: InstanceGroup): Promise<readonly Member[]> {
    const { deployment } = group;
    const own = (await membersOf(this.#api, this.#realm(group.scope))).filter(
      (member) => member.release === group.release.id && !member.ended,
    );
    const others = own.filter((member) => member.deployment !== deployment);
    for (const member of others) {
      await this.#api.rename(member.id, changedName(member.slot, { ...member, deployment }, ''));
    }
    return own.map((member) => ({ ...member, deployment }));
  }

  async #prepare(group: InstanceGroup, signal: AbortSignal | undefined): Promise<Preparation> {
    const { release } = group;
    const container = containerOf(release.run);
    const variables = await releaseVariables(release.run, this.#options.environment ?? process.env);
    await prepareNetwork(this.#api, container);
    const image = await this.#image(release, container, signal);
    return { realm: this.#realm(group.scope), group, container, image, variables, publish: this.#options.spec.publish };
  }

  /** Somebody may have removed the image since it was staged. */
  async #image(release: Release, { platform }: ContainerRun, signal: AbortSignal | undefined): Promise<string> {
    const { artifact } = release;
    if (artifact.kind !== 'image') throw noImage(release.id);
    const found = await findImage(this.#api, artifact);
    if (found !== undefined) return found.reference;
    const { clock, log = silentLog } = this.#options;
    const reference = `${artifact.repository}@${artifact.digest}`;
    await pullImage(this.#api, reference, { platform, clock, log, signal });
    return reference;
  }

  /** Exited copies are started again before new ones are made. */
  async #start(
    preparation: Preparation,
    members: readonly Member[],
    missing: number,
    refusedPorts: ReadonlySet<number>,
  ): Promise<readonly Started[]> {
    const waiting = members.filter(({ state }) => state !== 'running').slice(0, missing);
    const count = missing - waiting.length;
    // Before anything is begun: what fails while nobody waits for it would end the controller.
    const ports = await this.#choosePorts(count, refusedPorts);
    const again = waiting.map((member) => this.#starter.startAgain(member, preparation.container));
    const numbers = freeNumbers(members, count);
    const anew = ports.map((port, index) => this.#starter.startNew(preparation, numbers[index] ?? 0, port));
    const outcomes = await Promise.allSettled([...again, ...anew]);
    const failed = outcomes.find((outcome) => outcome.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    return outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : 'again'));
  }

  /** The name is changed before the first signal: whoever looks from now on knows that it did not end by itself. */
  async #end(member: Member, graceMs: number): Promise<void> {
    if (!member.ended)
      await this.#api.rename(member.id, changedName(member.slot, { ...member, ended: true }, unique()));
    if (member.state === 'born') return this.#api.remove(member.id);
    if (member.adopted !== undefined) await this.#api.neverRestart(member.id);
    await this.#api.stop(member.id, graceMs);
    const now = await this.#api.container(member.id);
    if (now?.State.Status !== 'running') return;
    throw new Failure('instance.stuck', `The container ${member.instance} still runs after it was ended by force.`, {
      at: member.instance,
      remedy: `Look at it with \`docker inspect ${member.id.slice(0, 12)}\`; a disk or network mount that hangs is the usual reason.`,
    });
  }

  /** Keeps the newest stopped containers of the scope for their output; those that Compose made are never removed. */
  async #forgetOldest(scope: Scope): Promise<void> {
    const over = (await membersOf(this.#api, this.#realm(scope)))
      .filter(({ ended, adopted }) => ended && adopted === undefined)
      .sort((a, b) => endedAt(b) - endedAt(a));
    const born = over.filter(({ state }) => state === 'born');
    const exited = over.filter(({ state }) => state === 'exited');
    // One that never ran wrote nothing; it is there because its controller was killed before it removed it.
    for (const { id } of [...born, ...exited.slice(this.#options.keepStopped ?? 20)]) await this.#api.remove(id);
  }

  #instances(members: readonly Member[]): readonly Instance[] {
    return members.map(instanceOf).filter((instance) => instance !== undefined);
  }

  #realm(scope: Scope): Realm {
    return { scope, owner: this.#options.owner };
  }

  /** One for each new instance; 0 where none is published. */
  async #choosePorts(count: number, refused: ReadonlySet<number>): Promise<readonly number[]> {
    const { publish, ports } = this.#options.spec;
    if (publish === undefined) return Array.from({ length: count }, () => 0);
    return choosePorts(this.#api, { host: publish, range: ports }, count, refused);
  }
}

function endedAt({ container }: Member): number {
  return Date.parse(container.State.FinishedAt ?? container.Created);
}

function freeNumbers(members: readonly Member[], count: number): readonly number[] {
  const taken = new Set(members.map(({ number }) => number));
  const free: number[] = [];
  for (let number = 1; free.length < count; number += 1) if (!taken.has(number)) free.push(number);
  return free;
}

function containerOf(run: RunSpec): ContainerRun {
  if (run.container !== undefined) return run.container;
  throw new Failure(
    'plan.unsupported',
    'The platform docker runs images, and this release is not said to run in a container.',
    {
      at: 'platform',
      remedy: 'Write `release.image` and `port`.',
    },
  );
}

function noImage(release: string): Failure {
  return new Failure('plan.unsupported', `${release} is a directory; the platform docker runs images.`, {
    at: 'release',
    remedy: 'Write `release.image`, or choose the platform process.',
  });
}
