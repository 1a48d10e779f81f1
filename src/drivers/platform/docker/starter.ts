// Makes and starts containers so that a controller killed at any moment leaves none that the next one does not find.

import { randomBytes } from 'node:crypto';
import { Failure } from '../../../base/failure.ts';
import type { ContainerRun } from '../../../core/container.ts';
import type { InstanceGroup } from '../../../core/instance.ts';
import { containerBody } from './container-body.ts';
import { EngineRefusal } from './connection.ts';
import type { EngineApi } from './engine-api.ts';
import type { Member } from './members.ts';
import { changedName, instanceId, type Realm, slotName } from './names.ts';
import { joinNetworks, networkOfBirth } from './networks.ts';

export type StartStep = 'container made' | 'container started';

/** What all containers of one call of `ensure` have in common. */
export interface Preparation {
  readonly realm: Realm;
  readonly group: InstanceGroup;
  readonly container: ContainerRun;
  readonly image: string;
  /** Undefined: they are reached at addresses of their own. */
  readonly publish: string | undefined;
  /** May hold secrets, so it is never logged. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What came of it: `again` where somebody else was faster or the port was taken, so that the whole must be looked at anew. */
export type Started = 'started' | 'again' | { readonly taken: number };

export class Starter {
  readonly #api: EngineApi;
  readonly #onStep: (step: StartStep) => void;

  constructor(api: EngineApi, onStep: (step: StartStep) => void) {
    this.#api = api;
    this.#onStep = onStep;
  }

  async startNew(preparation: Preparation, number: number, port: number): Promise<Started> {
    const { realm, group, container } = preparation;
    const { release } = group;
    const network = networkOfBirth(container);
    const instance = instanceId(release.id, number, unique());
    const body = containerBody({ ...preparation, owner: realm.owner, instance, number, port, network });
    let id: string;
    try {
      id = await this.#api.create(slotName(realm, release.id, number), body, container.platform);
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      // The name is taken: another controller makes this very copy. Podman says so with 500.
      if (error.status === 409 || /already in use/.test(error.message)) return 'again';
      throw error.status < 500 ? refused(release.id, error) : this.#api.failed(error);
    }
    this.#onStep('container made');
    const started = await this.#start(id, container, release.id).catch(async (error: unknown) => {
      // What cannot run must not lie about; where the engine is gone, `ensure` finds it again.
      if (isVerdict(error)) await this.#api.remove(id);
      throw error;
    });
    if (typeof started === 'object' || started === 'taken') {
      await this.#api.remove(id);
      return { taken: port };
    }
    this.#onStep('container started');
    return started;
  }

  /** One that ended by itself, or that was made and never started. */
  async startAgain(member: Member, container: ContainerRun): Promise<Started> {
    if (member.state === 'exited') {
      const facts = { ...member, restarts: member.restarts + 1, deployment: renamedFor(member) };
      await this.#api.rename(member.id, changedName(member.slot, facts, ''));
    }
    const started = await this.#start(member.id, container, member.release);
    if (started !== 'taken') return started;
    // Another program took its port meanwhile: a new copy on another port takes its place. One that never ran has no output to keep.
    if (member.state === 'born') await this.#api.remove(member.id);
    else await this.#api.rename(member.id, changedName(member.slot, { ...member, ended: true }, unique()));
    return { taken: member.address.port };
  }

  async #start(id: string, container: ContainerRun, release: string): Promise<'started' | 'again' | 'taken'> {
    try {
      await joinNetworks(this.#api, id, container);
      await this.#api.start(id);
      return 'started';
    } catch (error) {
      if (!(error instanceof EngineRefusal)) throw error;
      // The engine tells of a taken port in words only.
      if (/port is already allocated|address already in use|failed to bind/i.test(error.message)) return 'taken';
      const now = await this.#api.container(id);
      if (now === undefined) return 'again';
      throw verdictOn(release, error, now.State.ExitCode) ?? this.#api.failed(error);
    }
  }
}

export function unique(): string {
  return randomBytes(3).toString('hex');
}

function renamedFor({ deployment, container }: Member): string | undefined {
  return container.Config.Labels['sluice.deployment'] === deployment ? undefined : deployment;
}

/** 126 and 127 are what a shell says of a program that cannot be run, and is not there; engines do likewise. */
function verdictOn(release: string, refusal: EngineRefusal, exitCode: number): Failure | undefined {
  const cannotRun =
    exitCode === 126 || exitCode === 127 || /executable file|unable to find user/i.test(refusal.message);
  if (cannotRun) {
    return new Failure('instance.command', `The container of ${release} cannot be started: ${refusal.message}.`, {
      at: 'release.command',
      remedy: 'Correct the command, the entry point, the user or the image that is named.',
      cause: refusal,
    });
  }
  return refusal.status < 500 ? refused(release, refusal) : undefined;
}

function refused(release: string, refusal: EngineRefusal): Failure {
  return new Failure(
    'platform.refused',
    `The container engine refuses a container of ${release}: ${refusal.message}.`,
    {
      at: 'platform.docker',
      remedy: 'Correct the setting that its words name.',
      cause: refusal,
    },
  );
}

function isVerdict(error: unknown): boolean {
  return error instanceof Failure && (error.code === 'instance.command' || error.code === 'platform.refused');
}
