// Something that a Prometheus scrapes: text, or a native histogram in the binary form.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export class Target {
  readonly #server: Server;
  /** The text of the next scrapes, or the bytes of a native histogram; a function is asked at each scrape. */
  body: string | Buffer | (() => string) = '';
  #scrapes = 0;
  #onScrape = Promise.withResolvers<void>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async listen(): Promise<Target> {
    const server = createServer();
    const target = new Target(server);
    server.on('request', (_request, response) => {
      const body = typeof target.body === 'function' ? target.body() : target.body;
      response.setHeader('content-type', typeof body === 'string' ? 'text/plain; version=0.0.4' : binary);
      response.end(body, () => target.#scraped());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return target;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #scraped(): void {
    this.#scrapes += 1;
    this.#onScrape.resolve();
    this.#onScrape = Promise.withResolvers();
  }

  /** Resolves after so many further scrapes. */
  async scraped(times: number): Promise<void> {
    const wanted = this.#scrapes + times;
    while (this.#scrapes < wanted) await this.#onScrape.promise;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

const binary = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

/** A native histogram of schema 0 (buckets double), whose values are all in one bucket: the one that ends at 2 ** `bucket`. */
export function nativeHistogram(
  name: string,
  labels: Readonly<Record<string, string>>,
  bucket: number,
  count: number,
): Buffer {
  const span = Buffer.concat([integer(1, zigzag(bucket)), integer(2, 1)]);
  const histogram = Buffer.concat([
    integer(1, count),
    double(2, count * 2 ** bucket),
    integer(5, zigzag(0)),
    double(6, 1e-9),
    integer(7, 0),
    bytes(12, span),
    integer(13, zigzag(count)),
  ]);
  const pairs = Object.entries(labels).map(([label, value]) =>
    bytes(1, Buffer.concat([bytes(1, Buffer.from(label)), bytes(2, Buffer.from(value))])),
  );
  const metric = Buffer.concat([...pairs, bytes(7, histogram)]);
  const family = Buffer.concat([bytes(1, Buffer.from(name)), integer(3, 4), bytes(4, metric)]);
  return Buffer.concat([varint(family.length), family]);
}

function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) + 128);
  return Buffer.from([...out, rest]);
}

function zigzag(value: number): number {
  return value >= 0 ? value * 2 : -value * 2 - 1;
}

function integer(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

function double(field: number, value: number): Buffer {
  const number = Buffer.alloc(8);
  number.writeDoubleLE(value);
  return Buffer.concat([varint(field * 8 + 1), number]);
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(value.length), value]);
}
