// Asks releases that exist only as data: the same checks and judgements as the real prober, with answers that a test wrote.

import { parse } from 'yaml';
import { readSecret } from '../../../base/secret-reference.ts';
import { type Address, addressName } from '../../../core/instance.ts';
import type { Answer, NoAnswer } from '../../../core/validation/answer.ts';
import type { Asker, Ended, Program, Request } from '../../../core/validation/asker.ts';
import { carryOut } from '../../../core/validation/carry-out.ts';
import type { CheckOutcome, ValidationCheck } from '../../../core/validation/check.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Prober, ProbeTarget } from '../../../ports/prober.ts';

/** One thing that is asked, as a script sees it. */
export type MemoryQuestion =
  | { readonly kind: 'http'; readonly request: Request }
  | { readonly kind: 'tcp'; readonly address: Address }
  | { readonly kind: 'command'; readonly program: Program };

export interface MemoryReply {
  /** Default 200. For a command: its exit code, default 0. */
  readonly status?: number | undefined;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** For a command: what it writes. */
  readonly body?: string | undefined;
  /** By the clock; default 0. */
  readonly afterMs?: number | undefined;
}

/** A reply; `refused`: nobody is there; `silent`: never an answer. */
export type MemoryAnswer = MemoryReply | 'refused' | 'silent';

/** Called before anything is asked and after the outcome is known; it may throw (the probe then rejects) or resolve late. */
export type ProberFault = (call: {
  readonly phase: 'before' | 'after';
  readonly check: ValidationCheck;
  readonly target: ProbeTarget;
}) => void | Promise<void>;

export interface MemoryProberOptions {
  readonly clock: Clock;
  /** Answers what no script answers; default: `refused`. */
  readonly answer?: ((question: MemoryQuestion) => MemoryAnswer) | undefined;
  readonly fault?: ProberFault | undefined;
  /** Variables in which secrets are looked up. */
  readonly variables?: Readonly<Record<string, string>> | undefined;
}

export class MemoryProber implements Prober {
  readonly #options: MemoryProberOptions;
  readonly #scripts = new Map<string, MemoryAnswer[]>();
  readonly #asked: MemoryQuestion[] = [];
  readonly #asker: Asker;

  constructor(options: MemoryProberOptions) {
    this.#options = options;
    this.#asker = {
      request: (request, signal) => this.#request(request, signal),
      connect: (address, signal) => this.#connect(address, signal),
      run: (program, signal) => this.#run(program, signal),
      secret: (reference) => readSecret(reference, options.variables ?? {}),
      readDocument: async (text) => parse(text, { logLevel: 'error' }) as unknown,
    };
  }

  async probe(check: ValidationCheck, target: ProbeTarget, signal?: AbortSignal): Promise<CheckOutcome> {
    signal?.throwIfAborted();
    await this.#options.fault?.({ phase: 'before', check, target });
    const outcome = await carryOut({ asker: this.#asker, time: this.#options.clock }, check, target, signal);
    await this.#options.fault?.({ phase: 'after', check, target });
    return outcome;
  }

  /**
   * Says what is answered at a place from now on: each answer once, the last one for good. A place is `host:port/path` for one
   * path, `host:port` for all others there and for connections, or the words of a command, parted by spaces.
   */
  script(place: string, ...answers: readonly MemoryAnswer[]): void {
    this.#scripts.set(place, [...answers]);
  }

  /** Everything that was asked, in order. */
  get asked(): readonly MemoryQuestion[] {
    return this.#asked;
  }

  async #request(request: Request, signal: AbortSignal): Promise<Answer | NoAnswer> {
    const { url } = request;
    const host = `${url.hostname}:${url.port === '' ? defaultPort(url) : url.port}`;
    const reply = await this.#reply({ kind: 'http', request }, [`${host}${url.pathname}`, host], signal);
    if (reply === undefined) return { kind: 'none', reason: `nothing listens on ${host}` };
    const { status = 200, headers = {}, body = '' } = reply;
    const bytes = Buffer.byteLength(body);
    const complete = request.keepBytes === 0 || bytes <= request.keepBytes;
    const kept = Buffer.from(body).subarray(0, request.keepBytes).toString();
    return { kind: 'answer', status, headers, body: kept, complete };
  }

  async #connect(address: Address, signal: AbortSignal): Promise<NoAnswer | undefined> {
    const place = addressName(address);
    const reply = await this.#reply({ kind: 'tcp', address }, [place], signal);
    return reply === undefined ? { kind: 'none', reason: `nothing listens on ${place}` } : undefined;
  }

  async #run(program: Program, signal: AbortSignal): Promise<Ended> {
    const reply = await this.#reply({ kind: 'command', program }, [program.command.join(' ')], signal);
    if (reply === undefined) {
      return { passed: false, how: `it cannot be started: there is no program ${program.command[0]}`, output: '' };
    }
    const { status = 0, body = '' } = reply;
    return { passed: status === 0, how: `exit code ${status}`, output: body };
  }

  /** Undefined: nobody is there. Rejects when the signal aborts before the reply comes. */
  async #reply(
    question: MemoryQuestion,
    places: readonly string[],
    signal: AbortSignal,
  ): Promise<MemoryReply | undefined> {
    signal.throwIfAborted();
    this.#asked.push(question);
    const answer = this.#next(places) ?? this.#options.answer?.(question) ?? 'refused';
    if (answer === 'refused') return undefined;
    await this.#waitFor(answer, signal);
    signal.throwIfAborted();
    return answer === 'silent' ? undefined : answer;
  }

  async #waitFor(answer: MemoryReply | 'silent', signal: AbortSignal): Promise<void> {
    if (answer === 'silent') await aborted(signal);
    else if ((answer.afterMs ?? 0) > 0) await this.#options.clock.sleep(answer.afterMs ?? 0, signal);
  }

  #next(places: readonly string[]): MemoryAnswer | undefined {
    const script = places.map((place) => this.#scripts.get(place)).find((found) => found !== undefined);
    return script !== undefined && script.length > 1 ? script.shift() : script?.[0];
  }
}

function defaultPort(url: URL): string {
  return url.protocol === 'https:' ? '443' : '80';
}

async function aborted(signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}
