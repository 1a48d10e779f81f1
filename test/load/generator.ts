// The load: plain requests, downloads, uploads and WebSockets side by side, for as long as it is let run.

import { monitorEventLoopDelay } from 'node:perf_hooks';

import { PlainConnection } from './plain-connection.ts';
import { type Kind, type LastReport, type LoadOrder, type LoadReport, Tally } from './report.ts';
import { download, slowDownload, socket, type Stream, StreamBroken, upload } from './streams.ts';

/** Streams that live so short, or longer up to the order's limit. */
const streamMsMin = 500;
/** After a stream that could not begin, so that a service that is down is not hammered. */
const pauseMs = 200;

export class Generator {
  readonly #order: LoadOrder;
  readonly #tally = new Tally();
  readonly #stall = monitorEventLoopDelay({ resolution: 5 });
  readonly #connections: readonly PlainConnection[];
  #streams: readonly Promise<void>[] = [];
  #stopping = false;

  constructor(order: LoadOrder) {
    this.#order = order;
    const { target = { kind: 'own' } } = order;
    const everyMs = (order.connections * 1000) / order.requestsPerSecond;
    this.#connections = Array.from(
      { length: order.connections },
      (_, index) => new PlainConnection({ port: order.port, target, name: `c${index}`, everyMs, tally: this.#tally }),
    );
  }

  start(): void {
    const { target, downloads, uploads, sockets, connections, requestsPerSecond } = this.#order;
    const fetch = target?.kind === 'files' ? slowDownload(target.large) : download;
    this.#stall.enable();
    for (const [index, connection] of this.#connections.entries()) {
      connection.start((index / connections) * ((connections * 1000) / requestsPerSecond));
    }
    this.#streams = [
      ...this.#repeat('download', fetch, downloads),
      ...this.#repeat('upload', upload, uploads),
      ...this.#repeat('socket', socket, sockets),
    ];
  }

  report(): LoadReport {
    return this.#tally.report(this.#stall.max / 1e6);
  }

  /** Begins nothing new, and lets everything that was begun end. */
  async stop(): Promise<LastReport> {
    this.#stopping = true;
    await Promise.all(this.#connections.map((connection) => connection.stop()));
    await Promise.all(this.#streams);
    return this.#tally.lastReport(this.#stall.max / 1e6);
  }

  #repeat(kind: Kind, stream: Stream, count: number): readonly Promise<void>[] {
    return Array.from({ length: count }, () => this.#oneAfterTheOther(kind, stream));
  }

  async #oneAfterTheOther(kind: Kind, stream: Stream): Promise<void> {
    const { port, streamMsMax } = this.#order;
    while (!this.#stopping) {
      const startedAt = performance.now();
      try {
        await stream(port, streamMsMin + Math.random() * (streamMsMax - streamMsMin));
        this.#tally.streamed();
      } catch (error) {
        const instance = error instanceof StreamBroken ? error.instance : undefined;
        this.#tally.failed(kind, error instanceof Error ? error.message : String(error), startedAt, instance);
        await new Promise((resolve) => {
          setTimeout(resolve, pauseMs);
        });
      }
    }
  }
}
