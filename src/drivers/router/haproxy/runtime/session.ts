// One connection to HAProxy's Runtime API: orders and their answers in turn, bounded in time and size. All of them go to one process.

import { connect, type Socket } from 'node:net';

import { Failure } from '../../../../base/failure.ts';
import { isCode } from '../../../../base/system-error.ts';
import { addressName } from '../../../../core/instance.ts';
import type { HaproxyRouterSpec } from '../../../../core/plan/spec.ts';

export type RuntimeAddress = HaproxyRouterSpec['socket'];

export interface SessionOptions {
  /** For the connection and for each answer. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

const prompt = '\n> ';
const longestAnswer = 32 * 1024 * 1024;
/** HAProxy's input buffer has 16 KiB where nobody made it smaller. */
const longestOrder = 15_000;

/**
 * Orders over it reject with `router.unreachable` when nobody answers, and with `router.access` when the socket may not be opened.
 * Close it when done: HAProxy has few such connections.
 */
export function openSession(address: RuntimeAddress, options: SessionOptions): RuntimeSession {
  options.signal?.throwIfAborted();
  const socket = 'path' in address ? connect(address.path) : connect(address.port, address.host);
  return new RuntimeSession(socket, address, options);
}

export class RuntimeSession {
  readonly #socket: Socket;
  readonly #address: RuntimeAddress;
  readonly #options: SessionOptions;
  #received: Buffer[] = [];
  #bytes = 0;
  #broken: unknown;
  #prompted = false;
  #wake: () => void = () => undefined;

  constructor(socket: Socket, address: RuntimeAddress, options: SessionOptions) {
    this.#socket = socket;
    this.#address = address;
    this.#options = options;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#received.push(chunk);
      this.#bytes += chunk.length;
      if (this.#bytes > longestAnswer) this.#fail(this.#unreachable('its answer has no end'));
      this.#wake();
    });
    socket.on('error', (error) => this.#fail(this.#translated(error)));
    socket.on('close', () => this.#fail(this.#unreachable('it closed the connection')));
  }

  /** The answer without the empty line at its end. What HAProxy thinks of the order is in its text only. */
  async command(order: string): Promise<string> {
    const [answer = ''] = await this.commands([order]);
    return answer;
  }

  /** Several orders sent at once, carried out in turn whatever becomes of those before; their answers in the same order. */
  async commands(orders: readonly string[]): Promise<readonly string[]> {
    for (const order of orders) {
      if (order.length > longestOrder || /[\n\r]/.test(order))
        throw new Error('invariant broken: an order is one line');
    }
    this.#received = [];
    this.#bytes = 0;
    const first = this.#prompted ? [] : ['prompt'];
    this.#prompted = true;
    this.#socket.write(`${[...first, ...orders].join('\n')}\n`);
    const answers = await this.#answers(first.length + orders.length);
    return answers.slice(first.length);
  }

  async #answers(count: number): Promise<readonly string[]> {
    const { signal, timeoutMs } = this.#options;
    const timer = setTimeout(
      () => this.#fail(this.#unreachable(`it did not answer within ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
    const onAbort = (): void => this.#fail(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      for (;;) {
        const answers = this.#received.length === 0 ? [] : this.#read();
        if (answers.length === count) return answers;
        if (this.#broken !== undefined) throw this.#broken;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  /** The answers that are there, as long as the last of them is whole. */
  #read(): readonly string[] {
    const last = this.#received.at(-1);
    // Most chunks of a long answer do not end with the prompt; only then all of them are put together.
    if (last === undefined || (last.length >= prompt.length && !last.toString('latin1').endsWith(prompt))) return [];
    const text = Buffer.concat(this.#received).toString('utf8');
    if (!text.endsWith(prompt)) return [];
    return text
      .slice(0, -prompt.length)
      .split(prompt)
      .map((answer) => answer.replace(/\n$/, ''));
  }

  #fail(reason: unknown): void {
    this.#broken ??= reason ?? new Error('aborted');
    this.#socket.destroy();
    this.#wake();
  }

  #translated(error: NodeJS.ErrnoException): Failure {
    if (isCode(error, 'ENOENT')) return this.#unreachable('there is no such socket', error);
    if (isCode(error, 'ECONNREFUSED')) return this.#unreachable('nobody listens there', error);
    if (isCode(error, 'EACCES', 'EPERM')) {
      return new Failure('router.access', 'The socket of HAProxy’s Runtime API may not be opened by this user.', {
        at: this.#name,
        remedy:
          'Let HAProxy give it away: `stats socket … user <user> mode 660 level admin expose-fd listeners` in `global`, then restart HAProxy.',
        cause: error,
      });
    }
    return this.#unreachable(error.message, error);
  }

  #unreachable(why: string, cause?: unknown): Failure {
    return new Failure('router.unreachable', `HAProxy’s Runtime API does not answer: ${why}.`, {
      at: this.#name,
      remedy:
        'Start HAProxy, or correct `router.haproxy.socket`: it is the address of `stats socket … level admin` in `global`.',
      cause,
    });
  }

  get #name(): string {
    return 'path' in this.#address ? this.#address.path : addressName(this.#address);
  }
}
