// One keep-alive connection with plain requests, one after the other, each answer checked whole. Nothing is tried again.

import { connect, type Socket } from 'node:net';

import { headers } from './protocol.ts';
import type { Tally } from './report.ts';
import { judge, requestText, type Target } from './target.ts';

/** A request that takes longer has failed; milliseconds. */
const answerMsMax = 20_000;

export interface PlainOptions {
  readonly port: number;
  readonly target: Target;
  readonly name: string;
  /** Between the beginnings of two requests, where answers are that fast. */
  readonly everyMs: number;
  readonly tally: Tally;
}

export class PlainConnection {
  readonly #options: PlainOptions;
  readonly #ended = Promise.withResolvers<void>();
  #socket: Socket | undefined;
  #number = 0;
  #sentAt = 0;
  #waiting = false;
  #stopping = false;
  #received = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: PlainOptions) {
    this.#options = options;
  }

  /** `afterMs` spreads the connections evenly over time. */
  start(afterMs: number): void {
    this.#timer = setTimeout(() => this.#open(), afterMs);
  }

  /** Resolves when the last request is answered. */
  stop(): Promise<void> {
    this.#stopping = true;
    if (!this.#waiting) this.#end();
    return this.#ended.promise;
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#socket?.destroy();
    this.#ended.resolve();
  }

  #open(): void {
    const socket = connect({ port: this.#options.port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    let problem = 'the connection was closed';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#data(text));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      problem = `the connection broke (${error.code ?? error.message})`;
    });
    socket.on('close', () => this.#closed(socket, problem));
    this.#send();
  }

  #send(): void {
    if (this.#stopping) return this.#end();
    const socket = this.#socket;
    if (socket === undefined || socket.destroyed) return this.#open();
    this.#number += 1;
    this.#waiting = true;
    this.#received = '';
    this.#sentAt = performance.now();
    socket.write(requestText(this.#options.target, this.#id, this.#number), 'latin1');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#fail(`no answer within ${answerMsMax} ms`), answerMsMax);
  }

  get #id(): string {
    return `${this.#options.name}-${this.#number}`;
  }

  #data(text: string): void {
    if (!this.#waiting) return this.#fail('bytes came that belong to no request');
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return;
    const head = this.#received.slice(0, end);
    const length = Number(field(head, 'content-length') ?? Number.NaN);
    if (Number.isNaN(length)) return this.#fail(`an answer without a length: ${firstLine(head)}`);
    if (this.#received.length < end + 4 + length) return;
    this.#answered(head, this.#received.slice(end + 4));
  }

  #answered(head: string, body: string): void {
    const { target, tally } = this.#options;
    const status = Number(head.slice(9, 12));
    const lower = head.toLowerCase();
    const judged = judge(target, { status, body, field: (name) => field(head, name, lower) }, this.#id);
    if (judged.kind === 'bad') {
      return this.#fail(`${firstLine(head)}: ${body.slice(0, 100)}`, field(head, headers.instance));
    }
    if (judged.kind === 'good') tally.served(judged.version);
    else tally.deliberate(judged.version);
    const [answeredAt, took] = field(head, headers.routed, lower)?.split(' ') ?? [];
    // A thousand times 0.034 is not 34.
    if (took !== undefined) tally.routed(judged.version, Math.round((Number(answeredAt) - Number(took)) * 1000));
    if (field(head, 'connection', lower) === 'close') this.#socket?.destroy();
    this.#next();
  }

  #next(): void {
    this.#waiting = false;
    clearTimeout(this.#timer);
    const pauseMs = this.#options.everyMs - (performance.now() - this.#sentAt);
    if (pauseMs <= 0 || this.#stopping) setImmediate(() => this.#send());
    else this.#timer = setTimeout(() => this.#send(), pauseMs);
  }

  #fail(problem: string, instance?: string): void {
    this.#options.tally.failed('request', problem, this.#sentAt, instance);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    this.#next();
  }

  #closed(socket: Socket, problem: string): void {
    if (this.#socket !== socket) return;
    this.#socket = undefined;
    if (this.#waiting) return this.#fail(problem);
    if (!this.#stopping) this.#options.tally.reconnected();
  }
}

/** `lower`: the head in small letters, where that is known. */
function field(head: string, name: string, lower = head.toLowerCase()): string | undefined {
  const at = lower.indexOf(`\r\n${name}:`);
  if (at < 0) return undefined;
  const start = at + name.length + 3;
  const end = head.indexOf('\r\n', start);
  return head.slice(start, end < 0 ? undefined : end).trim();
}

function firstLine(head: string): string {
  return head.split('\r\n', 1)[0] ?? '';
}
