// Turns the log lines of one router and scope into batches of samples for everybody who reads, and tells what was lost.

import { Failure } from '../../../base/failure.ts';
import { type Log, silentLog } from '../../../base/log.ts';
import type { Sample, SampleBatch } from '../../../core/gate/sample.ts';
import type { Clock } from '../../../ports/clock.ts';
import { Batches } from './batches.ts';
import { type FeedLine, isOurs, parseLine } from './line.ts';
import { Reckoning } from './reckoning.ts';
import { type Receiver, startReceiver } from './receiver.ts';

export interface LogFeedOptions {
  readonly transport: 'udp' | 'tcp';
  /** Where the router sends its lines; loopback, or an address that a container reaches. */
  readonly host: string;
  readonly port: number;
  /** Hexadecimal digits that each line carries; others are strangers. */
  readonly token: string;
  /** Which instance a line is about; undefined: none, so it is no sample. Must not throw. */
  readonly resolve: (line: FeedLine) => Pick<Sample, 'release' | 'instance'> | undefined;
  /** Requests that the router finished and therefore wrote a line for, since it started; undefined: it cannot say. */
  readonly totals?: (() => Promise<number | undefined>) | undefined;
  /** Reads a line that has the token, where the router cannot write the usual one; undefined: not as it should be. */
  readonly parse?: ((text: string, token: string) => FeedLine | undefined) | undefined;
  /** Called before the router is first asked for its totals, and when nobody listens any more. */
  readonly onListening?: ((listening: boolean) => Promise<void>) | undefined;
  readonly clock: Clock;
  readonly log?: Log | undefined;
}

/** Counted since the feed was made. */
export interface FeedCounts {
  /** Lines with the token, whether or not they parse. */
  readonly received: number;
  /** Of these, lines that are not as they should be. */
  readonly unparsed: number;
  /** Lines without the token. */
  readonly strangers: number;
  readonly lost: number;
}

const lookMs = 1000;
/** Lines that the router wrote before it was asked for its totals have come by then. */
const underWayMs = 100;
const againMs = 1000;

/** There is one per scope and controller. The port is open while somebody reads. */
export class LogFeed {
  readonly #options: LogFeedOptions;
  readonly #log: Log;
  readonly #readers = new Set<Batches>();
  #listening: AbortController | undefined;
  /** The end of the last listening, which must be over before the port is free. */
  #closed: Promise<void> = Promise.resolve();
  #reckoning = new Reckoning();
  #counts = { received: 0, unparsed: 0, strangers: 0, lost: 0 };

  constructor(options: LogFeedOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLog;
  }

  get counts(): FeedCounts {
    return { ...this.#counts };
  }

  /** Batches from now on until `signal` aborts. A port that is taken is tried again until it is free, and told of in the log. */
  async *read(signal: AbortSignal): AsyncIterable<SampleBatch> {
    if (signal.aborted) return;
    const batches = new Batches();
    this.#readers.add(batches);
    this.#listen();
    try {
      for (;;) {
        const batch = await batches.take(signal);
        if (batch === undefined) return;
        yield batch;
      }
    } finally {
      this.#readers.delete(batches);
      if (this.#readers.size === 0) {
        this.#listening?.abort();
        this.#listening = undefined;
        await this.#closed;
      }
    }
  }

  #listen(): void {
    if (this.#listening !== undefined) return;
    const stop = new AbortController();
    this.#listening = stop;
    const before = this.#closed;
    this.#closed = before.then(() => this.#receive(stop.signal));
  }

  /** Until the signal aborts, whatever happens to the receiver. */
  async #receive(signal: AbortSignal): Promise<void> {
    let told = false;
    while (!signal.aborted) {
      try {
        const receiver = await this.#start();
        told = false;
        await this.#attend(receiver, signal);
      } catch (error) {
        if (!told)
          this.#log.write('warn', 'the feed of the router waits', { ...this.#place(), problem: wordsOf(error) });
        told = true;
      }
      if (!signal.aborted) await this.#options.clock.sleep(againMs, signal);
    }
  }

  async #start(): Promise<Receiver> {
    const { transport, host, port } = this.#options;
    const receiver = await startReceiver({ transport, host, port }, (lines, lost) => this.#take(lines, lost));
    this.#log.write('debug', 'listening for the log of the router', {
      ...this.#place(),
      bufferBytes: receiver.bufferBytes,
    });
    return receiver;
  }

  async #attend(receiver: Receiver, signal: AbortSignal): Promise<void> {
    const { promise: aborted, resolve } = Promise.withResolvers<void>();
    // It may have been aborted while the thread started.
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
    const done = new AbortController();
    let looking: Promise<void> = Promise.resolve();
    try {
      await this.#options.onListening?.(true);
      looking = this.#look(receiver, done.signal);
      await Promise.race([aborted, receiver.ended]);
    } finally {
      done.abort();
      await this.#options.onListening?.(false).catch((error: unknown) => {
        this.#log.write('warn', 'the router goes on writing its log', { ...this.#place(), problem: wordsOf(error) });
      });
      await receiver.close();
      await looking;
    }
  }

  /** Compares with the totals of the router every second. */
  async #look(receiver: Receiver, signal: AbortSignal): Promise<void> {
    const { totals, clock } = this.#options;
    if (totals === undefined) return;
    this.#reckoning = new Reckoning();
    while (!signal.aborted) {
      try {
        const before = this.#counts.received;
        const total = await totals();
        await clock.sleep(underWayMs, signal);
        // On a busy machine they may have come, and wait to be read.
        await receiver.caughtUp();
        if (signal.aborted) return;
        const after = this.#counts.received;
        const missing = total === undefined ? 0 : this.#reckoning.look({ total, before, after });
        if (missing > 0) this.#lose(missing, 'lines that the router says it wrote did not come');
      } catch (error) {
        this.#log.write('debug', 'the totals of the router are not known', { problem: wordsOf(error) });
      }
      await clock.sleep(lookMs, signal);
    }
  }

  #take(lines: readonly string[], lost: number): void {
    const now = this.#options.clock.now();
    const before = { ...this.#counts };
    const samples: Sample[] = [];
    for (const line of lines) {
      const sample = this.#sampleOf(line, now);
      if (sample !== undefined) samples.push(sample);
    }
    const unparsed = this.#counts.unparsed - before.unparsed;
    if (unparsed > 0)
      this.#log.write('warn', 'lines of the router do not parse', { ...this.#place(), lines: unparsed });
    if (lost > 0) {
      this.#reckoning.know(lost);
      this.#log.write('warn', 'lines of the router came too fast', { ...this.#place(), lost });
    }
    this.#counts.lost += lost + unparsed;
    this.#push(samples, lost + unparsed);
  }

  /** Counts the line, and gives its sample where it is one. */
  #sampleOf(text: string, now: number): Sample | undefined {
    const { parse = parseLine, token } = this.#options;
    const line = parse(text, token);
    if (line === undefined) {
      if (isOurs(text, token)) {
        this.#counts.received += 1;
        this.#counts.unparsed += 1;
      } else this.#counts.strangers += 1;
      return undefined;
    }
    this.#counts.received += 1;
    const whose = this.#options.resolve(line);
    if (whose === undefined) return undefined;
    const { status, latencyMs, via, origin } = line;
    return { at: line.at ?? now, ...whose, status, latencyMs, via, origin };
  }

  #lose(lost: number, why: string): void {
    this.#counts.lost += lost;
    this.#log.write('warn', why, { ...this.#place(), lost });
    this.#push([], lost);
  }

  #push(samples: readonly Sample[], lost: number): void {
    for (const reader of this.#readers) reader.push(samples, lost);
  }

  #place(): { readonly address: string } {
    const { host, port, transport } = this.#options;
    return { address: `${host}:${port}/${transport}` };
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Failure || error instanceof Error ? error.message : String(error);
}
