// The calls of the Engine API that Sluice makes, each checked when it comes back.

import type { Readable } from 'node:stream';
import type * as z from 'zod';
import { Failure } from '../../../base/failure.ts';
import * as answers from './answers.ts';
import { type EngineConnection, EngineRefusal, type EngineRequest } from './connection.ts';

export type ContainerSummary = z.infer<typeof answers.containerList>[number];

export interface WantedOutput {
  /** So many of the newest entries, or all. */
  readonly tail: number | 'all';
  /** Only those after this time; epoch milliseconds. */
  readonly since?: number | undefined;
  readonly follow: boolean;
}

export class EngineApi {
  readonly #connection: EngineConnection;

  constructor(connection: EngineConnection) {
    this.#connection = connection;
  }

  get place(): string {
    return this.#connection.place;
  }

  /** The IP address of the engine's machine, as this one reaches it. */
  machine(): Promise<string> {
    return this.#connection.machine();
  }

  version(): Promise<z.infer<typeof answers.version>> {
    return this.#ask({ method: 'GET', path: '/version' }, answers.version);
  }

  /** Running ones and ended ones; `filters` as the Engine API has them: `{ label: ['a=b'] }`. */
  containers(filters: Readonly<Record<string, readonly string[]>> = {}): Promise<readonly ContainerSummary[]> {
    const query = { all: true, filters: JSON.stringify(filters) };
    return this.#ask({ method: 'GET', path: '/containers/json', query }, answers.containerList);
  }

  /** Undefined: there is no such container. */
  container(id: string): Promise<answers.Container | undefined> {
    return orMissing(this.#ask({ method: 'GET', path: `/containers/${name(id)}/json` }, answers.container));
  }

  /** Rejects with `EngineRefusal`: 409 where the name is taken, 404 where the image is missing, 400 for what it cannot do. */
  async create(containerName: string, body: object, platform: string | undefined): Promise<string> {
    const query = { name: containerName, ...(platform === undefined ? {} : { platform }) };
    const request: EngineRequest = { method: 'POST', path: '/containers/create', query, body, withinMs: 60_000 };
    return (await this.#ask(request, answers.created)).Id;
  }

  /** Rejects with `EngineRefusal`. No error where it runs. */
  async start(id: string): Promise<void> {
    await this.#send({ method: 'POST', path: `/containers/${name(id)}/start`, withinMs: 60_000 });
  }

  /** Asks with the container's own signal, ends by force after `graceMs`, and resolves when it has ended. */
  async stop(id: string, graceMs: number): Promise<void> {
    const query = { t: Math.ceil(graceMs / 1000) };
    await gone(this.#send({ method: 'POST', path: `/containers/${name(id)}/stop`, query, withinMs: graceMs + 30_000 }));
  }

  async rename(id: string, to: string): Promise<void> {
    await gone(this.#send({ method: 'POST', path: `/containers/${name(id)}/rename`, query: { name: to } }));
  }

  /** Whatever the container's own policy: from now on the engine does not start it again by itself. */
  async neverRestart(id: string): Promise<void> {
    const body = { RestartPolicy: { Name: 'no' } };
    await gone(this.#send({ method: 'POST', path: `/containers/${name(id)}/update`, body }));
  }

  /** With the volumes that are its own alone. */
  async remove(id: string): Promise<void> {
    const query = { force: true, v: true };
    await gone(this.#send({ method: 'DELETE', path: `/containers/${name(id)}`, query, withinMs: 60_000 }));
  }

  /** Entries as the engine keeps them, each with its time; framed unless the container has a terminal. */
  output(id: string, wanted: WantedOutput, signal: AbortSignal | undefined): AsyncGenerator<Buffer> {
    const { tail, follow } = wanted;
    const since = wanted.since === undefined ? {} : { since: ((wanted.since + 1) / 1000).toFixed(3) };
    const query = { stdout: true, stderr: true, timestamps: true, tail, follow, ...since };
    const request: EngineRequest = { method: 'GET', path: `/containers/${name(id)}/logs`, query, signal };
    // Who waits for last words waits for what to do next, and must not wait for ever.
    return follow
      ? this.#connection.parts(request, 'any time')
      : this.#connection.parts({ ...request, withinMs: 30_000 }, 'in time');
  }

  /** Undefined: the engine does not have it. */
  image(reference: string): Promise<answers.Image | undefined> {
    return orMissing(this.#ask({ method: 'GET', path: `/images/${reference}/json` }, answers.image));
  }

  async removeImage(reference: string): Promise<void> {
    await gone(this.#send({ method: 'DELETE', path: `/images/${reference}`, withinMs: 60_000 }));
  }

  /** What the registry says of a reference; rejects with `EngineRefusal`, or `plan.unsupported` by an engine that cannot ask. */
  async inRegistry(reference: string, registryAuth: string | undefined): Promise<z.infer<typeof answers.distribution>> {
    const path = `/distribution/${reference}/json`;
    try {
      return await this.#ask({ method: 'GET', path, withinMs: 30_000, registryAuth }, answers.distribution);
    } catch (error) {
      throw error instanceof EngineRefusal && error.unknownCall ? this.#cannotAsk(reference, error) : error;
    }
  }

  #cannotAsk(reference: string, cause: EngineRefusal): Failure {
    return new Failure(
      'plan.unsupported',
      `The container engine at ${this.place} does not have the image ${reference}, and cannot ask a registry for it.`,
      {
        at: 'release.image',
        remedy: `Fetch it before (\`podman pull ${reference}\` on the engine's machine), or build it there.`,
        cause,
      },
    );
  }

  /** The engine's own report of the pull, as JSON lines. */
  pull(
    reference: string,
    platform: string | undefined,
    registryAuth: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Readable> {
    const query = { fromImage: reference, ...(platform === undefined ? {} : { platform }) };
    const request: EngineRequest = { method: 'POST', path: '/images/create', query, registryAuth, signal };
    return this.#connection.open({ ...request, withinMs: 60_000 });
  }

  async hasNetwork(networkName: string): Promise<boolean> {
    const filters = JSON.stringify({ name: [networkName] });
    const found = await this.#ask({ method: 'GET', path: '/networks', query: { filters } }, answers.networkList);
    // The filter also finds parts of names.
    return found.some(({ Name }) => Name === networkName);
  }

  async createNetwork(networkName: string, labels: Readonly<Record<string, string>>): Promise<void> {
    const body = { Name: networkName, Driver: 'bridge', CheckDuplicate: true, Labels: labels };
    try {
      await this.#send({ method: 'POST', path: '/networks/create', body });
    } catch (error) {
      // Somebody else made it meanwhile.
      if (!(error instanceof EngineRefusal && error.status === 409)) throw error;
    }
  }

  async connect(networkName: string, container: string, aliases: readonly string[]): Promise<void> {
    const body = { Container: container, EndpointConfig: { Aliases: aliases } };
    await this.#send({ method: 'POST', path: `/networks/${name(networkName)}/connect`, body });
  }

  async hasVolume(volume: string): Promise<boolean> {
    const found = this.#send({ method: 'GET', path: `/volumes/${name(volume)}` }).then(() => true);
    return (await orMissing(found)) ?? false;
  }

  async #send(request: EngineRequest): Promise<unknown> {
    try {
      return await this.#connection.send(request);
    } catch (error) {
      if (!(error instanceof EngineRefusal) || error.status < 500) throw error;
      // Expected refusals of these come as 500, too; who asks looks first.
      if (request.path.endsWith('/start') || request.path === '/containers/create') throw error;
      throw this.failed(error);
    }
  }

  async #ask<Schema extends z.ZodType>(request: EngineRequest, schema: Schema): Promise<z.output<Schema>> {
    const parsed = schema.safeParse(await this.#send(request));
    if (parsed.success) return parsed.data;
    throw new Failure(
      'platform.failed',
      `The container engine at ${this.place} gave an answer that is not as the Engine API says.`,
      {
        at: request.path,
        remedy: 'Look which program listens there; Sluice works with Docker Engine 20.10 and later.',
        cause: parsed.error,
      },
    );
  }

  /** What the engine could not do, in its own words. */
  failed(refusal: EngineRefusal): Failure {
    return new Failure('platform.failed', `The container engine failed: ${refusal.message}`, {
      at: this.place,
      remedy: 'Read its own words; its log says more (`journalctl -u docker`). Sluice tries again.',
      cause: refusal,
    });
  }
}

function name(part: string): string {
  return encodeURIComponent(part);
}

async function orMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof EngineRefusal && error.status === 404) return undefined;
    throw error;
  }
}

/** What is no longer there needs nothing done to it. */
async function gone(answer: Promise<unknown>): Promise<void> {
  await orMissing(answer);
}
