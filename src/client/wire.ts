// A controller on the other side of a connection: requests out over HTTP, answers in, and what can go wrong in between.

import type * as z from 'zod';
import { failureIn, linesOf } from '../api/lines.ts';
import { type Health, apiVersion, mediaTypes, replyBytes, versionHeader } from '../api/protocol.ts';
import {
  type CallName,
  type ItemOf,
  type ReplyOf,
  type RequestOf,
  type StreamName,
  calls,
  streams,
} from '../api/routes.ts';
import { failure as failureSchema } from '../api/schema-failure.ts';
import { targetOf } from '../api/target.ts';
import { Failure, failureFrom } from '../base/failure.ts';
import { failureCatalogue } from '../base/failure-catalogue.ts';
import type { Line } from './client.ts';
import type { Transport, TransportAnswer, TransportRequest } from './transport.ts';

/** Requests out, answers in. */
export class Wire implements Line {
  readonly #transport: Transport;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(transport: Transport, token: string | undefined) {
    this.#transport = transport;
    this.#headers = {
      [versionHeader]: String(apiVersion),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    };
  }

  async call<Name extends CallName>(
    name: Name,
    request: RequestOf<Name>,
    signal?: AbortSignal,
  ): Promise<ReplyOf<Name>> {
    const route = calls[name];
    const target = targetOf(route, request);
    const headers = { ...this.#headers, ...(target.body === undefined ? {} : { 'content-type': mediaTypes.json }) };
    const answer = await this.#send({ method: route.method, ...target, headers, signal, slow: route.slow });
    return this.#checked((await route.reply()).safeParse(await this.#json(answer, signal)), name) as ReplyOf<Name>;
  }

  async *stream<Name extends StreamName>(
    name: Name,
    request: RequestOf<Name>,
    signal: AbortSignal,
  ): AsyncGenerator<ItemOf<Name>> {
    try {
      const route = streams[name];
      const headers = { ...this.#headers, accept: mediaTypes.lines };
      const answer = await this.#send({
        method: route.method,
        ...targetOf(route, request),
        headers,
        signal,
        slow: false,
      });
      const schema = await route.item();
      for await (const text of this.#lines(answer)) {
        const line = this.#parse(text);
        const failed = failureIn(line);
        if (failed !== undefined) throw failureFrom(failed);
        yield this.#checked(schema.safeParse(line), name) as ItemOf<Name>;
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async health(): Promise<Health> {
    const answer = await this.#send({ method: 'GET', path: '/health', headers: this.#headers, slow: false });
    return (await this.#json(answer, undefined)) as Health;
  }

  async close(): Promise<void> {
    this.#transport.close();
  }

  /** The answer, when it is a good one; otherwise throws what it says. */
  async #send(request: TransportRequest): Promise<TransportAnswer> {
    const { signal } = request;
    signal?.throwIfAborted();
    const answer = await this.#transport.send(request).catch((error: unknown) => {
      throw this.#broken(error, signal);
    });
    const version = answer.header(versionHeader);
    if (version === undefined) {
      answer.cancel();
      throw this.#unreachable(`what answers there (with status ${answer.status}) is no Sluice server`);
    }
    if (version !== String(apiVersion)) {
      answer.cancel();
      throw this.#otherVersion(version);
    }
    if (answer.status !== 200) throw await this.#failureOf(answer, signal);
    return answer;
  }

  async #failureOf(answer: TransportAnswer, signal: AbortSignal | undefined): Promise<Failure> {
    const parsed = failureSchema.safeParse(await this.#json(answer, signal));
    return parsed.success ? failureFrom(parsed.data) : this.#unreachable(`it answered with status ${answer.status}`);
  }

  async #json(answer: TransportAnswer, signal: AbortSignal | undefined): Promise<unknown> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const chunk of answer.body) {
        chunks.push(chunk);
        bytes += chunk.byteLength;
        if (bytes > replyBytes) throw new Error(`the answer is longer than ${replyBytes} bytes`);
      }
    } catch (error) {
      throw this.#broken(error, signal);
    }
    return this.#parse(Buffer.concat(chunks).toString('utf8'));
  }

  async *#lines(answer: TransportAnswer): AsyncGenerator<string> {
    try {
      yield* linesOf(answer.body, replyBytes);
    } catch (error) {
      throw this.#broken(error, undefined);
    }
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw this.#unreachable('its answer is no JSON', cause);
    }
  }

  #checked(parsed: z.ZodSafeParseResult<unknown>, name: string): unknown {
    if (parsed.success) return parsed.data;
    throw this.#unreachable(`its answer to ${name} is not as the contract says`, parsed.error);
  }

  #broken(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted === true) return signal.reason;
    return error instanceof Failure ? error : this.#unreachable(reasonOf(error), error);
  }

  #unreachable(words: string, cause?: unknown): Failure {
    const { name } = this.#transport;
    const { remedy } = failureCatalogue['server.unreachable'];
    return new Failure('server.unreachable', `No answer from the Sluice server at ${name}: ${words}.`, {
      at: name,
      remedy,
      cause,
    });
  }

  #otherVersion(version: string): Failure {
    const { name } = this.#transport;
    const { remedy } = failureCatalogue['server.version'];
    const message = `The server at ${name} speaks version ${version} of the contract, this client version ${apiVersion}.`;
    return new Failure('server.version', message, { at: name, remedy });
  }
}

/** The innermost reason: the system's own word, such as `connect ECONNREFUSED`. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : reasonOf(error.cause);
}
