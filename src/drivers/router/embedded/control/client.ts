// The controller's side of the control socket: one connection per request.

import { connect, type Socket } from 'node:net';
import { dirname } from 'node:path';

import type * as z from 'zod';

import { Failure, failureFrom } from '../../../../base/failure.ts';
import { isCode } from '../../../../base/system-error.ts';
import { assertOwnSocketDirectory, shortSocketDirectory } from '../process/scope-directory.ts';
import { linesOf } from './lines.ts';
import { type ControlRequest, messageBytesMax, protocolVersion, replySchema } from './schema.ts';

/** Nobody listens on the socket: the proxy does not run. */
export const notRunning = Symbol('not running');

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long the answer may take; milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Sends one request and returns its answer. Rejects with the proxy's own failure, with `router.unreachable` when it does not answer
 * properly or in time, or with the reason of `signal`.
 */
export async function call<T>(
  path: string,
  request: ControlRequest,
  schema: z.ZodType<T>,
  options: CallOptions,
): Promise<T | typeof notRunning> {
  options.signal?.throwIfAborted();
  const socket = await open(path, options);
  if (socket === notRunning) return notRunning;
  try {
    send(socket, request);
    for await (const line of linesOf(socket, messageBytesMax)) return parseReply(path, line, schema);
    throw unreachable(path, 'it closed the connection without an answer');
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error instanceof Failure ? error : unreachable(path, reason(error), error);
  } finally {
    socket.destroy();
  }
}

/** Opens a stream of lines; `notRunning` where there is no proxy. Ends when `signal` aborts. */
export async function stream(
  path: string,
  request: ControlRequest,
  signal: AbortSignal,
): Promise<AsyncIterable<string> | typeof notRunning> {
  const socket = await open(path, { signal });
  if (socket === notRunning) return notRunning;
  send(socket, request);
  return linesOf(socket, messageBytesMax);
}

function send(socket: Socket, request: ControlRequest): void {
  socket.write(`${JSON.stringify({ protocol: protocolVersion, request })}\n`);
}

function parseReply<T>(path: string, line: string, schema: z.ZodType<T>): T {
  const reply = replySchema.parse(JSON.parse(line));
  if ('failure' in reply) throw failureFrom(reply.failure);
  const value = schema.safeParse(reply.value);
  if (!value.success) throw unreachable(path, 'it gave an answer that this version of Sluice does not understand');
  return value.data;
}

async function open(path: string, options: Partial<CallOptions>): Promise<Socket | typeof notRunning> {
  if (dirname(path) === shortSocketDirectory()) assertOwnSocketDirectory();
  const { signal, timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const abort = (): void => {
      socket.destroy(new Error('aborted'));
    };
    const timer =
      timeoutMs === undefined
        ? undefined
        : setTimeout(() => socket.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    signal?.addEventListener('abort', abort, { once: true });
    socket.once('connect', () => resolve(socket));
    socket.on('error', (error) => {
      if (isCode(error, 'ENOENT', 'ECONNREFUSED')) resolve(notRunning);
      else reject(unreachable(path, reason(error), error));
    });
    socket.once('close', () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
    });
    if (signal?.aborted === true) abort();
  });
}

export function unreachable(path: string, why: string, cause?: unknown): Failure {
  return new Failure('router.unreachable', `The built-in proxy does not answer: ${why}.`, {
    at: path,
    remedy: 'Start `sluice server`, which starts it again; its log is proxy.log beside the socket.',
    cause,
  });
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
