// The proxy's side of the control socket.

import { chmod, rm, stat } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';

import type * as z from 'zod';

import { Failure, failureData } from '../../../../base/failure.ts';
import { encodeBatch } from './batch-format.ts';
import { linesOf } from './lines.ts';
import { type ControlRequest, envelopeSchema, messageBytesMax, protocolVersion, requestSchema } from './schema.ts';
import type { SampleFeed } from '../proxy/sample-feed.ts';

/** What the proxy does for each request; the answer goes back as it is. `signal` aborts when the asker hangs up. */
export type ControlHandler = (
  request: Exclude<ControlRequest, { kind: 'feed' }>,
  signal: AbortSignal,
) => Promise<unknown>;

/** Bytes that one reader of the feed may leave unread before its batches are dropped. */
const unreadBytesMax = 1024 * 1024;

const healMs = 1_000;

export class ControlServer {
  readonly #path: string;
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #handle: ControlHandler;
  readonly #feed: SampleFeed;
  #healer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(path: string, feed: SampleFeed, handle: ControlHandler) {
    this.#path = path;
    this.#feed = feed;
    this.#handle = handle;
  }

  /** Takes the socket's place in the file system; the caller holds the lock, so what lies there is of a dead proxy. */
  async listen(): Promise<void> {
    await rm(this.#path, { force: true });
    const server = createServer((socket) => void this.#serve(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#path, resolve);
    });
    await chmod(this.#path, 0o600);
    this.#server = server;
    this.#healer = setTimeout(() => void this.#heal(), healMs);
  }

  /** Takes no more requests; those under way are answered. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#healer);
    this.#server?.close();
    await rm(this.#path, { force: true });
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** A socket that was removed, say by whoever tidies /tmp, is made anew: without it nobody could reach the proxy again. */
  async #heal(): Promise<void> {
    const there = await stat(this.#path).then(
      () => true,
      () => false,
    );
    if (this.#closed) return;
    if (there) {
      this.#healer = setTimeout(() => void this.#heal(), healMs);
      return;
    }
    try {
      // First, because closing a server removes what lies at its path.
      this.#server?.close();
      await this.listen();
    } catch {
      // The directory is gone too. It may come back.
      this.#healer = setTimeout(() => void this.#heal(), healMs);
    }
  }

  async #serve(socket: Socket): Promise<void> {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on('close', () => {
      this.#sockets.delete(socket);
      gone.abort();
    });
    socket.on('error', () => undefined);
    try {
      for await (const line of linesOf(socket, messageBytesMax)) this.#take(socket, line, gone.signal);
    } catch {
      // The asker broke off, or sent a line without end: either way nobody waits for an answer.
      socket.destroy();
    }
  }

  /** Does not wait for the work, so that a hang-up is noticed while it goes on. */
  #take(socket: Socket, line: string, gone: AbortSignal): void {
    let request: ControlRequest;
    try {
      request = parseRequest(line);
    } catch (error) {
      void this.#answer(socket, Promise.reject(error));
      return;
    }
    if (request.kind === 'feed') this.#stream(socket);
    else void this.#answer(socket, this.#handle(request, gone));
  }

  async #answer(socket: Socket, work: Promise<unknown>): Promise<void> {
    let reply: unknown;
    try {
      reply = { value: await work };
    } catch (error) {
      reply = { failure: failureData(error) };
    }
    if (!socket.destroyed) socket.write(`${JSON.stringify(reply)}\n`);
  }

  #stream(socket: Socket): void {
    const reader = {
      send: (batch: Parameters<typeof encodeBatch>[0]): boolean => {
        if (socket.writableLength > unreadBytesMax) return false;
        socket.write(encodeBatch(batch));
        return true;
      },
    };
    this.#feed.add(reader);
    socket.on('close', () => this.#feed.remove(reader));
    socket.write(`${JSON.stringify({ value: {} })}\n`);
  }
}

function parseRequest(line: string): ControlRequest {
  const envelope = parse(envelopeSchema, parseJson(line));
  if (envelope.protocol !== protocolVersion) {
    throw new Failure(
      'router.refused',
      `The proxy speaks version ${protocolVersion} of its control messages, not ${envelope.protocol}.`,
      {
        remedy:
          'End the proxy process (its pid is in state.json beside the socket); the next deployment starts one of the installed version.',
      },
    );
  }
  return parse(requestSchema, envelope.request);
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const place = issue?.path.join('.') ?? '';
  throw new Failure('router.refused', `The proxy refuses a message: ${place}: ${issue?.message ?? 'malformed'}.`, {
    at: place,
    remedy:
      'This is a defect of Sluice unless a configured name holds unusual characters; report it with this message.',
  });
}
