// What the tests of the HAProxy driver share: HAProxy with a router for it, instances, and requests.

import { it } from 'node:test';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import type { Address } from '../../../core/instance.ts';
import type { HaproxyRouterSpec } from '../../../core/plan/spec.ts';
import type { Endpoint, RouteGroup, Routes } from '../../../core/routes.ts';
import type { Log } from '../../../base/log.ts';
import { freePort } from '../../../../test/free-port.ts';
import { Haproxy, type HaproxyOptions } from '../../../../test/programs/haproxy.ts';
import { systemClock } from '../../clock/system-clock.ts';
import type { Router } from '../../../ports/router.ts';
import { createHaproxyRouter } from './driver.ts';

export const scope = { service: 'shop', environment: 'test' };

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Ends everything it was told of, the last first. */
export class Bench {
  readonly #ends: (() => unknown)[] = [];

  async end(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }

  async haproxy(options: HaproxyOptions = {}): Promise<Haproxy> {
    const haproxy = await Haproxy.start(options);
    this.#ends.push(() => haproxy.end());
    return haproxy;
  }

  /** HAProxy and a router for it. */
  async router(changes: Partial<HaproxyRouterSpec> = {}, options: HaproxyOptions = {}): Promise<TestRouter> {
    const haproxy = await this.haproxy(options);
    const spec = await testSpec(haproxy, changes);
    return { haproxy, spec, ...routerFor(spec) };
  }

  /** An instance that answers with its own name, or as `handler` does. */
  async instance(instance: string, handler?: Handler): Promise<Endpoint & { readonly server: Server }> {
    const server = createServer(handler ?? ((_request, response) => void response.end(instance)));
    // Connections that are kept idle are HAProxy's to close.
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    this.#ends.push(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    return { instance, address: { host: '127.0.0.1', port }, server };
  }
}

/** A test with a bench of its own. */
export function benchTest(name: string, run: (bench: Bench) => Promise<void>): void {
  void it(name, async () => {
    const bench = new Bench();
    try {
      await run(bench);
    } finally {
      await bench.end();
    }
  });
}

export interface TestRouter {
  readonly haproxy: Haproxy;
  readonly spec: HaproxyRouterSpec;
  readonly router: Router;
  /** Messages of the driver's log. */
  readonly logged: readonly string[];
}

export function routerFor(spec: HaproxyRouterSpec): { readonly router: Router; readonly logged: readonly string[] } {
  const logged: string[] = [];
  const log: Log = { write: (_level, message) => void logged.push(message) };
  return { router: createHaproxyRouter({ spec, clock: systemClock, log }), logged };
}

export async function testSpec(haproxy: Haproxy, changes: Partial<HaproxyRouterSpec> = {}): Promise<HaproxyRouterSpec> {
  const feed = { host: '127.0.0.1', port: await freePort() };
  return {
    driver: 'haproxy',
    listen: { host: '127.0.0.1', port: await freePort() },
    directory: haproxy.own,
    socket: { path: haproxy.socket },
    reload: { kind: 'pidFile', path: haproxy.pidFile },
    feed: { listen: feed, reach: feed },
    limits: { idleMs: 30_000, answerMs: 30_000 },
    trustForwarded: false,
    ...changes,
  };
}

export function routesOf(revision: number, groups: readonly RouteGroup[], more: Partial<Routes> = {}): Routes {
  return { scope, revision, groups, rules: [], ...more };
}

/** This share of traffic to these endpoints. */
export function group(release: string, share: number, ...endpoints: readonly Endpoint[]): RouteGroup {
  return { release, share, endpoints: endpoints.map(({ instance, address }) => ({ instance, address })) };
}

export interface TestAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** A request over a connection of its own. */
export function get(
  address: Address,
  headers: { readonly [name: string]: string } = {},
  path = '/',
): Promise<TestAnswer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: address.host, port: address.port, path, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks).toString() }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });
}
