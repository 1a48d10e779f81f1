// A client's connection: finds the requests in its bytes, one after the other, and gives each to an exchange.

import type { Socket } from 'node:net';

import { headText, Refusal } from '../http/fields.ts';
import { type ClientFacts, ownAnswerText } from '../http/forward.ts';
import { parseRequestHead } from '../http/request-head.ts';
import { preciseNow, type ProxyContext } from './context.ts';
import { Exchange, type ExchangeClient } from './exchange.ts';

/** Bytes of further requests that a client may send ahead. */
const aheadBytesMax = 65_536;
/** Empty lines before a request line that are passed over. */
const emptyLinesMax = 8;
/** How long, and how much of it, what a client still sends is thrown away, so that it can read the last answer first. */
const lingerMs = 2_000;
const lingerBytesMax = 4 * 1024 * 1024;

const cr = 13;
const lf = 10;

export class ClientConnection implements ExchangeClient {
  readonly socket: Socket;
  readonly facts: ClientFacts;
  readonly preview: boolean;
  readonly #context: ProxyContext;
  /** `full`: the client has yet to read the last answer, and until then nothing of what it sent ahead is begun. */
  #phase: 'idle' | 'head' | 'busy' | 'full' | 'tunnel' | 'closing' = 'idle';
  #pending: Buffer | undefined;
  #exchange: Exchange | undefined;
  #advancing = false;
  /** Empty lines since the last request. */
  #emptyLines = 0;
  /** When the first byte of the current head came. */
  #headAt = 0;
  /** When the phase began, for limits. */
  #since: number;
  #discarded = 0;

  constructor(socket: Socket, facts: ClientFacts, preview: boolean, context: ProxyContext) {
    this.socket = socket;
    this.facts = facts;
    this.preview = preview;
    this.#context = context;
    this.#since = preciseNow();
    socket.on('data', (chunk: Buffer) => this.#data(chunk));
    socket.on('drain', () => this.#drained());
    socket.on('finish', () => {
      this.#since = preciseNow();
    });
    socket.on('end', () => this.#ended());
    // The close that follows an error is what counts.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#gone());
  }

  /** Works through what came, as far as the exchange takes it. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    while (this.#pending !== undefined && this.#step(this.#pending)) {
      // Each step takes something of the pending bytes, or waits.
    }
    this.#advancing = false;
  }

  upgraded(): void {
    this.#phase = 'tunnel';
    this.advance();
  }

  exchangeDone(next: 'keep' | 'close' | 'reset'): void {
    this.#exchange = undefined;
    if (this.socket.destroyed) return;
    if (next === 'reset') return this.#reset();
    if (next === 'close') return this.#close();
    this.#since = this.#context.now;
    this.#headAt = 0;
    if (this.socket.writableNeedDrain) this.#phase = 'full';
    else this.#next();
  }

  /** Ends an idle connection; one that serves a request ends behind it. */
  closeWhenIdle(): void {
    if (this.#phase === 'idle' || this.#phase === 'full') this.#close();
  }

  destroy(): void {
    this.socket.destroy();
  }

  sweep(now: number): void {
    const { idleMs } = this.#context.limits;
    switch (this.#phase) {
      case 'busy':
        this.#exchange?.sweep(now);
        return;
      case 'idle':
        if (now - this.#since > idleMs) this.#close();
        return;
      case 'full':
        if (now - this.#since > idleMs) this.#reset();
        return;
      case 'head':
        // Counted from the first byte: a client that sends a byte now and then is cut all the same.
        if (now - this.#headAt > idleMs)
          this.#refuse(new Refusal(408, 'The request head did not come to its end in time.'));
        return;
      case 'closing':
        // Counted anew when all of the answer is written: until then the client is given as long as any other.
        if (now - this.#since > (this.socket.writableFinished ? lingerMs : idleMs)) this.socket.destroy();
        return;
      case 'tunnel':
    }
  }

  #drained(): void {
    if (this.#phase === 'full') this.#next();
    else this.#exchange?.clientDrained();
  }

  /** Goes on to what the client sent ahead, or waits for its next request. */
  #next(): void {
    this.#phase = 'idle';
    this.#since = this.#context.now;
    if (this.socket.isPaused()) this.socket.resume();
    this.advance();
    if (this.#isIdle() && this.#context.closing) this.#close();
  }

  #data(chunk: Buffer): void {
    if (this.#phase === 'closing') {
      this.#discarded += chunk.length;
      if (this.#discarded > lingerBytesMax) this.socket.destroy();
      return;
    }
    if (this.#headAt === 0) this.#headAt = preciseNow();
    this.#pending = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    this.advance();
    if (this.#pending !== undefined && this.#pending.length > aheadBytesMax && this.#phase !== 'head')
      this.socket.pause();
  }

  /** Takes something of `pending`; false when nothing can be taken now. */
  #step(pending: Buffer): boolean {
    switch (this.#phase) {
      case 'idle':
      case 'head':
        return this.#head(pending);
      case 'busy':
        return this.#body(pending);
      case 'full':
        return false;
      case 'tunnel':
        this.#pending = undefined;
        this.#exchange?.fromTunnel(pending);
        return true;
      case 'closing':
        this.#pending = undefined;
        return false;
    }
  }

  #body(pending: Buffer): boolean {
    if (this.#exchange?.takesBody !== true) return false;
    this.#pending = undefined;
    const end = this.#exchange.requestBody(pending);
    if (end < pending.length && !this.#isClosing()) this.#pending = pending.subarray(end);
    if (this.#phase === 'busy' && this.#pending === undefined) return false;
    return true;
  }

  /** Methods, because callbacks change the phase between two looks at it. */
  #isIdle(): boolean {
    return this.#phase === 'idle';
  }

  #isClosing(): boolean {
    return this.#phase === 'closing';
  }

  #head(buffer: Buffer): boolean {
    const pending = this.#withoutEmptyLines(buffer);
    if (pending === undefined) return false;
    if (this.#headAt === 0) this.#headAt = preciseNow();
    const { headerBytes } = this.#context.limits;
    const text = headText(pending, 0, headerBytes);
    if (text === undefined) {
      this.#phase = 'head';
      const refusal = incompleteHead(pending, headerBytes);
      if (refusal !== undefined) this.#refuse(refusal);
      return false;
    }
    const head = parseRequestHead(text);
    if (head instanceof Refusal) {
      this.#refuse(head);
      return false;
    }
    this.#emptyLines = 0;
    const end = text.length;
    this.#pending = end === pending.length ? undefined : pending.subarray(end);
    this.#phase = 'busy';
    const exchange = new Exchange(this, this.#context, head);
    this.#exchange = exchange;
    exchange.begin();
    return true;
  }

  /**
   * Takes empty lines off the pending bytes (RFC 9112 section 2.2: clients that count badly leave them behind a body). Undefined
   * when nothing is left, or when there were so many that the client is refused.
   */
  #withoutEmptyLines(pending: Buffer): Buffer | undefined {
    let start = 0;
    while (pending[start] === cr && pending[start + 1] === lf && this.#emptyLines <= emptyLinesMax) {
      start += 2;
      this.#emptyLines += 1;
    }
    if (start === 0) return pending;
    if (this.#emptyLines > emptyLinesMax) {
      this.#refuse(new Refusal(400, 'There are too many empty lines before the request.'));
      return undefined;
    }
    this.#pending = start === pending.length ? undefined : pending.subarray(start);
    if (this.#pending === undefined) {
      // No head has begun; how long the connection may be idle still counts from the last answer.
      this.#phase = 'idle';
      this.#headAt = 0;
    }
    return this.#pending;
  }

  #refuse(refusal: Refusal): void {
    const { date } = this.#context;
    this.socket.write(
      ownAnswerText(refusal.status, refusal.reason, { date, keepAlive: false, withBody: true }),
      'latin1',
    );
    this.#close();
  }

  /** Says that nothing more comes, and throws away what the client still sends, for a while. */
  #close(): void {
    this.#phase = 'closing';
    this.#since = preciseNow();
    this.#pending = undefined;
    this.socket.end();
    this.socket.resume();
  }

  /** Breaks the connection off: the client must not take what it has for the whole answer. */
  #reset(): void {
    this.#phase = 'closing';
    this.#pending = undefined;
    if ('encrypted' in this.socket) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  #ended(): void {
    switch (this.#phase) {
      case 'idle':
      case 'head':
      case 'full':
        return this.#close();
      case 'busy':
        // Whoever goes away closes its side first; that it still listens cannot be told from that.
        return this.destroy();
      case 'tunnel':
        return this.#exchange?.tunnelEnded();
      case 'closing':
    }
  }

  #gone(): void {
    this.#phase = 'closing';
    this.#pending = undefined;
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.clientGone();
  }
}

/** Why more of a head need not be waited for. */
function incompleteHead(pending: Buffer, bytesMax: number): Refusal | undefined {
  if (pending.length >= bytesMax) return new Refusal(431, `The request head is longer than ${bytesMax} bytes.`);
  return hasBareLineFeed(pending) ? new Refusal(400, 'A line does not end with CR LF.') : undefined;
}

function hasBareLineFeed(buffer: Buffer): boolean {
  for (let at = buffer.indexOf(lf); at >= 0; at = buffer.indexOf(lf, at + 1)) {
    if (at === 0 || buffer[at - 1] !== cr) return true;
  }
  return false;
}
