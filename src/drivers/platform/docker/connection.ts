// One request to the Engine API with a limit on its time, and the translation of everything that can go wrong with it.

import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import * as z from 'zod';
import { Failure } from '../../../base/failure.ts';
import { isCode } from '../../../base/system-error.ts';
import type { DockerEngineSpec } from '../../../core/plan/spec.ts';
import type { Clock } from '../../../ports/clock.ts';

export interface EngineRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Without query: `/containers/json`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean>> | undefined;
  readonly body?: unknown;
  /** How long the answer may take; milliseconds. */
  readonly withinMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For a registry, as the header `X-Registry-Auth` wants it. */
  readonly registryAuth?: string | undefined;
}

/** The engine's refusal of one request, in its own words; callers tell by the status whether it is what they expected. */
export class EngineRefusal extends Error {
  readonly status: number;
  /** Whether the call itself is unknown there, whatever it was about. */
  readonly unknownCall: boolean;

  constructor(status: number, message: string, unknownCall = false) {
    super(message);
    this.status = status;
    this.unknownCall = unknownCall;
  }
}

export interface EngineConnection {
  /** The place in messages: `unix:///var/run/docker.sock`. */
  readonly place: string;
  /** The IP address of the engine's machine, as this one reaches it. Rejects with `platform.unreachable`. */
  machine(): Promise<string>;
  /** Rejects with `EngineRefusal`, `platform.unreachable`, `platform.denied` or the reason of the signal. */
  send(request: EngineRequest): Promise<unknown>;
  /** As `send`; the answer is read as it comes. `withinMs` limits the time until it begins. */
  open(request: EngineRequest): Promise<Readable>;
  /**
   * As `send`, in the parts in which the answer comes. `withinMs` limits the time until it has ended, or, where it may go on for
   * ever, until it begins.
   */
  parts(request: EngineRequest, end: 'in time' | 'any time'): AsyncGenerator<Buffer>;
}

/** A call that only reads or changes a record of the engine answers at once, or the engine hangs. */
export const defaultWithinMs = 15_000;

export function connectEngine(spec: DockerEngineSpec, clock: Clock): EngineConnection {
  return new Connection(spec, clock);
}

/** One way to the engine: where, and with which keys. */
interface Way {
  readonly origin: string;
  readonly dispatcher: Dispatcher;
}

interface TimeLimit {
  /** Aborts when the time is over, or with the request's own. */
  readonly signal: AbortSignal;
  /** What is told to who asked. */
  readonly reason: (error: unknown) => unknown;
  readonly lift: () => Promise<void>;
}

type Keys = NonNullable<(DockerEngineSpec & { readonly kind: 'host' })['tls']>;

/** The longest answer that is read whole; bytes. */
const longestAnswer = 64 * 1024 * 1024;

class Connection implements EngineConnection {
  readonly place: string;
  readonly #spec: DockerEngineSpec;
  readonly #clock: Clock;
  #way: Promise<Way> | undefined;

  constructor(spec: DockerEngineSpec, clock: Clock) {
    this.#spec = spec;
    this.#clock = clock;
    this.place = spec.kind === 'socket' ? `unix://${spec.path}` : `tcp://${spec.host}:${spec.port}`;
  }

  async machine(): Promise<string> {
    if (this.#spec.kind === 'socket') return '127.0.0.1';
    const { host } = this.#spec;
    if (process.getBuiltinModule('node:net').isIP(host) !== 0) return host;
    try {
      // Routers take no names while they run.
      const found = await process.getBuiltinModule('node:dns/promises').lookup(host, { order: 'ipv4first' });
      return found.address;
    } catch (error) {
      throw this.#translated(error);
    }
  }

  send(request: EngineRequest): Promise<unknown> {
    return this.#within(request, async (signal) => parsed(await textOf(await this.#ask(request, signal))));
  }

  open(request: EngineRequest): Promise<Readable> {
    return this.#within(request, async (signal) => (await this.#ask(request, signal)).body);
  }

  async *parts(request: EngineRequest, end: 'in time' | 'any time'): AsyncGenerator<Buffer> {
    const limit = this.#limit(request);
    try {
      const { body } = await this.#ask(request, limit.signal);
      if (end === 'any time') await limit.lift();
      yield* body as AsyncIterable<Buffer>;
    } catch (error) {
      throw limit.reason(error);
    } finally {
      await limit.lift();
    }
  }

  async #ask(request: EngineRequest, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { origin, dispatcher } = await this.#connect();
    const given = Object.entries(request.query ?? {}).map(([name, value]): [string, string] => [name, String(value)]);
    const query = new URLSearchParams(given);
    const { request: ask } = await import('./engine-web.ts');
    const response = await ask(`${origin}${request.path}${query.size === 0 ? '' : `?${query.toString()}`}`, {
      method: request.method,
      headers: {
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(request.registryAuth === undefined ? {} : { 'x-registry-auth': request.registryAuth }),
      },
      body: request.body === undefined ? null : JSON.stringify(request.body),
      dispatcher,
      signal,
    });
    // A start that finds the container started is answered with 304.
    if (response.statusCode < 300 || response.statusCode === 304) return response;
    throw refusalOf(response.statusCode, await textOf(response));
  }

  /** The time ends with the answer, or, where that is read as it comes, with its beginning. */
  async #within<T>(request: EngineRequest, act: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const limit = this.#limit(request);
    try {
      return await act(limit.signal);
    } catch (error) {
      throw limit.reason(error);
    } finally {
      await limit.lift();
    }
  }

  /** Begins the time of a request. Throws the reason of its signal. */
  #limit(request: EngineRequest): TimeLimit {
    const given = request.withinMs ?? defaultWithinMs;
    const over = new AbortController();
    const lifted = new AbortController();
    const signal = request.signal === undefined ? over.signal : AbortSignal.any([request.signal, over.signal]);
    signal.throwIfAborted();
    const timer = this.#clock.sleep(given, lifted.signal).then(() => {
      if (!lifted.signal.aborted) over.abort();
    });
    return {
      signal,
      reason: (error) => {
        if (request.signal?.aborted === true) return request.signal.reason;
        if (!(error instanceof EngineRefusal)) this.#forgetKeys();
        return over.signal.aborted ? this.#silent(given) : this.#translated(error);
      },
      lift: () => {
        lifted.abort();
        return timer;
      },
    };
  }

  /** Certificates are read again after a failure: they may have been mended, or renewed. */
  #forgetKeys(): void {
    const way = this.#way;
    if (this.#spec.kind === 'socket' || this.#spec.tls === undefined || way === undefined) return;
    this.#way = undefined;
    // What is still under way over it may end; whether it does is told to who waits for it.
    way.then(({ dispatcher }) => dispatcher.close()).catch(() => undefined);
  }

  #connect(): Promise<Way> {
    this.#way ??= this.#made().catch((error: unknown) => {
      this.#way = undefined;
      throw error;
    });
    return this.#way;
  }

  async #made(): Promise<Way> {
    const spec = this.#spec;
    // Loaded with the first request: it is large, and a command that asks no engine starts faster without it.
    const { Agent } = await import('./engine-web.ts');
    // The caller's limit is the only one on time.
    const limits = { headersTimeout: 0, bodyTimeout: 0, pipelining: 0 };
    if (spec.kind === 'socket') {
      const dispatcher = new Agent({ ...limits, connect: { socketPath: spec.path, timeout: 0 } });
      return { origin: 'http://engine', dispatcher };
    }
    const host = spec.host.includes(':') ? `[${spec.host}]` : spec.host;
    const { tls } = spec;
    if (tls === undefined)
      return { origin: `http://${host}:${spec.port}`, dispatcher: new Agent({ ...limits, connect: { timeout: 0 } }) };
    const [ca, cert, key] = await Promise.all([pem(tls.ca), pem(tls.certificate), pem(tls.key)]);
    assertKeys(tls, { ca, cert, key });
    const dispatcher = new Agent({ ...limits, connect: { ca, cert, key, timeout: 0 } });
    return { origin: `https://${host}:${spec.port}`, dispatcher };
  }

  #silent(ms: number): Failure {
    return new Failure(
      'platform.unreachable',
      `The container engine at ${this.place} did not answer within ${ms} ms.`,
      {
        at: this.place,
        remedy: 'Look whether it hangs (`systemctl status docker`, `docker info`); Sluice tries again.',
      },
    );
  }

  #translated(error: unknown): unknown {
    if (error instanceof Failure || error instanceof EngineRefusal) return error;
    if (isCode(error, 'EACCES', 'EPERM')) {
      return new Failure('platform.denied', `This user may not use the container engine at ${this.place}.`, {
        at: this.place,
        remedy: 'Run Sluice as a user of the group that owns the socket (often `docker`), or as root.',
        cause: error,
      });
    }
    const why = isCode(error, 'ENOENT') ? 'there is no such socket' : reasonOf(error);
    const hasKeys = this.#spec.kind === 'host' && this.#spec.tls !== undefined;
    return new Failure('platform.unreachable', `The container engine at ${this.place} cannot be reached: ${why}.`, {
      at: this.place,
      remedy: hasKeys
        ? 'Start it, or correct `platform.docker.tls`: an engine closes the connection to a certificate that its authority did not sign.'
        : 'Start it (`systemctl start docker`), or correct `platform.docker`.',
      cause: error,
    });
  }
}

async function pem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new Failure('platform.denied', `The file ${file} for the container engine cannot be read.`, {
      at: 'platform.docker.tls',
      remedy: 'Correct the path, or let this user read it.',
      cause,
    });
  }
}

/** Before anything is sent, so that files which do not fit together are named, whatever the engine says to them. */
function assertKeys({ certificate, key: keyFile }: Keys, keys: object): void {
  try {
    process.getBuiltinModule('node:tls').createSecureContext(keys);
  } catch (cause) {
    throw new Failure('platform.denied', `${certificate} and ${keyFile} are no certificate with its private key.`, {
      at: 'platform.docker.tls',
      remedy: 'Name PEM files that belong together, the key without a passphrase.',
      cause,
    });
  }
}

async function textOf({ body }: Dispatcher.ResponseData): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > longestAnswer) throw new Error('its answer is longer than 64 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Undefined for what is no JSON; the schema of the call says whether that will do. */
function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const longestWords = 2000;

/** Docker says `message`; Podman also `cause`, and the status as `response`, but 0 there of a call that it does not know. */
const Refused = z.object({ message: z.string(), response: z.int().optional() });

function refusalOf(status: number, text: string): EngineRefusal {
  const refused = Refused.safeParse(parsed(text));
  const words = refused.success ? refused.data.message : `status ${status} ${text}`;
  const unknownCall = status === 404 && (!refused.success || refused.data.response === 0);
  return new EngineRefusal(status, words.trim().slice(0, longestWords), unknownCall);
}

function reasonOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  if (code === 'ECONNREFUSED') return 'nobody listens there';
  if (code === 'ECONNRESET' || code === 'EPIPE' || code === 'UND_ERR_SOCKET') return 'it closed the connection';
  return error instanceof Error ? error.message : String(error);
}
