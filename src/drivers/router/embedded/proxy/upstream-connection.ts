// A connection to an instance: takes one request at a time and reads its answer.

import { connect, type Socket } from 'node:net';

import { BodyReader } from '../http/body-reader.ts';
import { copiedBytesMax } from '../http/body-writer.ts';
import { headText } from '../http/fields.ts';
import { parseResponseHead, type ResponseHead } from '../http/response-head.ts';
import type { Endpoint } from './endpoint.ts';

/** Who has a request on the connection. */
export interface UpstreamUser {
  readonly method: string;
  readonly wantsUpgrade: boolean;
  upstreamConnected(): void;
  /** 100 or 103; more heads follow. */
  upstreamInterim(head: ResponseHead): void;
  /** 101; from now on `upstreamRaw` gets all bytes. */
  upstreamUpgraded(head: ResponseHead): void;
  upstreamRaw(chunk: Buffer): void;
  upstreamRawEnded(): void;
  /** The head of the answer; `upstreamBody` follows at once, even when no byte of the body is there yet. */
  upstreamAnswer(head: ResponseHead, framing: BodyReader['framing']): void;
  upstreamBody(buffer: Buffer, reader: BodyReader): void;
  /** The answer is complete; `reusable` when the connection can take another request. */
  upstreamAnswered(reusable: boolean): void;
  upstreamDrained(): void;
  /** The connection is gone before the answer was complete. */
  upstreamLost(problem: string): void;
}

/**
 * All connections read into one buffer, one after the other: a fresh one of 64 KiB for each small answer costs more than the
 * rest of the reading.
 */
const readBuffer = Buffer.allocUnsafeSlow(65_536);

const headBytesMax = 65_536;
/** How long an idle connection is kept to an instance that does not say how long it keeps it. */
const idleMsDefault = 4_000;
const idleMsLongest = 55_000;
/** An instance closes its side at its own limit; the proxy stays clear of that moment. */
const idleMarginMs = 1_000;

export class UpstreamConnection {
  readonly endpoint: Endpoint;
  readonly socket: Socket;
  connected = false;
  /** Whether an answer came over it before: it may have been closed by the instance at any time since. */
  reused = false;
  /** Whether a byte of the current answer came. */
  answering = false;
  idleSince = 0;
  idleMsMax = idleMsDefault;
  #user: UpstreamUser | undefined;
  #mode: 'idle' | 'head' | 'body' | 'answered' | 'raw' = 'idle';
  #pending: Buffer | undefined;
  #head: ResponseHead | undefined;
  readonly #reader = new BodyReader('length');
  #problem: string | undefined;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
    const { host, port } = endpoint.address;
    const onread = { buffer: readBuffer, callback: (bytes: number) => this.#read(bytes) };
    this.socket = connect({ host, port, noDelay: true, allowHalfOpen: true, onread });
    this.socket.on('connect', () => {
      this.connected = true;
      this.#user?.upstreamConnected();
    });
    this.socket.on('drain', () => this.#user?.upstreamDrained());
    this.socket.on('end', () => this.#ended());
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#problem = this.connected ? `broke the connection (${error.code})` : `cannot be reached (${error.code})`;
    });
    this.socket.on('close', () => this.#closed());
  }

  /** Gives the connection to a request; the user is told when it can be written to, at once where it is connected. */
  use(user: UpstreamUser): void {
    this.#user = user;
    this.#mode = 'head';
    this.answering = false;
    if (this.connected) user.upstreamConnected();
  }

  /** Takes the connection from its user without telling it; a connection in the midst of an answer must be closed. */
  leave(): void {
    this.#user = undefined;
    this.#mode = 'idle';
  }

  close(): void {
    this.leave();
    this.endpoint.forget(this);
    this.socket.destroy();
  }

  /** Small pieces are used where they were read; larger ones live on while they are written, and are copied. */
  #read(bytes: number): boolean {
    const chunk = readBuffer.subarray(0, bytes);
    this.#data(bytes <= copiedBytesMax && this.#mode !== 'raw' ? chunk : Buffer.from(chunk));
    return true;
  }

  #data(chunk: Buffer): void {
    if (this.#mode === 'raw') return this.#user?.upstreamRaw(chunk);
    // Bytes that belong to no request: the next answer could not be told from them.
    if (this.#mode === 'idle' || this.#mode === 'answered') return this.#lost('sent more than its answer');
    this.answering = true;
    let rest: Buffer | undefined = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = undefined;
    if (this.#mode === 'head') rest = this.#heads(rest);
    if (rest !== undefined) this.#rest(rest);
  }

  /** What follows a head that has just come, or the next piece of a body. */
  #rest(rest: Buffer): void {
    if (this.#mode === 'raw') {
      if (rest.length > 0) this.#user?.upstreamRaw(Buffer.from(rest));
    } else if (this.#mode === 'body') this.#body(rest);
  }

  /** Reads heads until the final one; returns what follows it, undefined when more is needed. */
  #heads(buffer: Buffer): Buffer | undefined {
    let rest = buffer;
    for (;;) {
      const text = headText(rest, 0, headBytesMax);
      if (text === undefined) {
        if (rest.length > headBytesMax) this.#malformed();
        else this.#pending = Buffer.from(rest);
        return undefined;
      }
      const end = text.length - 4;
      const head = parseResponseHead(text);
      rest = rest.subarray(end + 4);
      if (head === undefined || (head.status === 101 && this.#user?.wantsUpgrade !== true)) {
        this.#malformed();
        return undefined;
      }
      if (head.status >= 200 || head.status === 101) {
        this.#final(head);
        return rest;
      }
      this.#user?.upstreamInterim(head);
      if (this.#mode !== 'head') return undefined;
    }
  }

  #final(head: ResponseHead): void {
    this.#head = head;
    if (head.status === 101) {
      this.#mode = 'raw';
      return this.#user?.upstreamUpgraded(head);
    }
    const bodiless = this.#user?.method === 'HEAD' || head.status === 204 || head.status === 304;
    if (bodiless) this.#reader.restart('length', 0);
    else if (head.chunked) this.#reader.restart('chunked');
    else if (head.length === undefined) this.#reader.restart('close');
    else this.#reader.restart('length', head.length);
    this.#mode = 'body';
    this.#user?.upstreamAnswer(head, this.#reader.framing);
  }

  #body(buffer: Buffer): void {
    const reader = this.#reader;
    const end = reader.read(buffer, 0);
    if (reader.bad !== undefined) return this.#malformed();
    this.#user?.upstreamBody(buffer, reader);
    if (reader.done && this.#mode === 'body') this.#complete(end === buffer.length);
  }

  #complete(clean: boolean): void {
    const { keepAlive = false, keepAliveMs } = this.#head ?? {};
    this.#mode = 'answered';
    this.reused = true;
    this.idleMsMax = keepAliveMs === undefined ? idleMsDefault : idleLimit(keepAliveMs);
    this.#user?.upstreamAnswered(clean && keepAlive && this.#reader.framing !== 'close' && this.socket.readable);
  }

  #malformed(): void {
    this.#lost('sent an answer that is not proper HTTP/1.1');
  }

  #ended(): void {
    if (this.#mode === 'raw') return this.#user?.upstreamRawEnded();
    if (this.#mode === 'body' && this.#reader.framing === 'close') {
      this.#reader.done = true;
      this.#reader.read(empty, 0);
      this.#user?.upstreamBody(empty, this.#reader);
      return this.#complete(false);
    }
    this.#lost(this.#problem ?? 'closed the connection before its answer was complete');
  }

  #closed(): void {
    const missing = this.connected
      ? 'closed the connection before its answer was complete'
      : 'does not accept connections';
    this.#lost(this.#problem ?? missing);
  }

  #lost(problem: string): void {
    const user = this.#user;
    this.close();
    user?.upstreamLost(problem);
  }
}

const empty = Buffer.alloc(0);

function idleLimit(keepAliveMs: number): number {
  return Math.min(Math.max(keepAliveMs - idleMarginMs, keepAliveMs / 2), idleMsLongest);
}
