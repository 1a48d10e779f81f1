// What the tests of the built-in proxy share: proxies in directories of their own, instances, and raw requests.

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Address } from '../../../core/instance.ts';
import type { EmbeddedRouterSpec } from '../../../core/plan/spec.ts';
import type { Sample } from '../../../core/gate/sample.ts';
import type { Endpoint, RouteGroup, Routes } from '../../../core/routes.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Router } from '../../../ports/router.ts';
import { createEmbeddedRouter, listProxies, removeProxy } from './driver.ts';
import { Proxy } from './proxy/proxy.ts';
import { freePort } from '../../../../test/free-port.ts';

export const scope = { service: 'shop', environment: 'test' };

export const clock: Clock = {
  now: () => Date.now(),
  sleep: (durationMs, signal) => sleep(durationMs, undefined, { signal }).then(undefined, () => undefined),
};

export interface TestAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface TestProxy {
  readonly proxy: Proxy;
  readonly address: Address;
  readonly samples: Sample[];
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Ends everything it was told of, the last first. */
export class Bench {
  readonly #ends: (() => unknown)[] = [];

  onEnd(end: () => unknown): void {
    this.#ends.push(end);
  }

  async end(): Promise<void> {
    for (const end of this.#ends.reverse()) await end();
  }

  async directory(): Promise<string> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-proxy-'));
    this.onEnd(() => rm(directory, { recursive: true, force: true }));
    return directory;
  }

  /** A router whose proxies are removed at the end. */
  async router(
    changes: Partial<EmbeddedRouterSpec> = {},
  ): Promise<{ router: Router; spec: EmbeddedRouterSpec; directory: string }> {
    const directory = await this.directory();
    const spec = await testSpec(changes);
    this.onEnd(async () => {
      for (const proxy of await listProxies(directory)) await removeProxy(directory, proxy.scope, 0);
    });
    return { router: createEmbeddedRouter({ stateDirectory: directory, spec, clock }), spec, directory };
  }

  /** A proxy within this process that serves `routes`, with the samples it gives. */
  async proxy(routes: Routes, changes: Partial<EmbeddedRouterSpec> = {}): Promise<TestProxy> {
    const spec = await testSpec(changes);
    const proxy = new Proxy(
      spec,
      (release) => `token-${release}`,
      () => undefined,
    );
    proxy.put(routes);
    await proxy.start();
    this.onEnd(() => proxy.close(0));
    const samples: Sample[] = [];
    proxy.feed.add({
      send: (batch) => {
        samples.push(...batch.samples);
        return true;
      },
    });
    return { proxy, address: spec.listen, samples };
  }

  /** An instance that answers with its own name, or as `handler` does. */
  async instance(instance: string, handler?: Handler): Promise<Endpoint & { server: Server }> {
    const server = createServer(handler ?? ((_request, response) => void response.end(instance)));
    await listening(server);
    this.onEnd(() => {
      server.closeAllConnections();
      server.close();
    });
    return { instance, address: addressOf(server), server };
  }

  /** Something that speaks no more HTTP than `serve` does. */
  async tcp(serve: Parameters<typeof createTcpServer>[1]): Promise<Address> {
    const server = createTcpServer({ allowHalfOpen: true }, serve);
    await listening(server);
    this.onEnd(() => server.close());
    return addressOf(server);
  }
}

export async function testSpec(changes: Partial<EmbeddedRouterSpec> = {}): Promise<EmbeddedRouterSpec> {
  return {
    driver: 'embedded',
    listen: { host: '127.0.0.1', port: await freePort() },
    limits: { headerBytes: 16_384, idleMs: 30_000, answerMs: 30_000 },
    trustForwarded: false,
    ...changes,
  };
}

export function routesOf(revision: number, groups: readonly RouteGroup[], more: Partial<Routes> = {}): Routes {
  return { scope, revision, groups, rules: [], ...more };
}

/** All traffic to these endpoints. */
export function group(release: string, share: number, ...endpoints: readonly Endpoint[]): RouteGroup {
  return { release, share, endpoints: endpoints.map(({ instance, address }) => ({ instance, address })) };
}

export function addressOf(server: Server | TcpServer): Address {
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port };
}

async function listening(server: Server | TcpServer): Promise<void> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
}

/** A request over a connection of its own. */
export function get(address: Address, headers: Record<string, string> = {}, path = '/'): Promise<TestAnswer> {
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

/** Sends bytes as they are and returns all that comes back until the other side closes, or for half a minute. */
export function raw(address: Address, ...parts: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(address);
    let text = '';
    const timer = setTimeout(() => socket.destroy(), 30_000);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? undefined : reject(error)));
    socket.on('close', () => {
      clearTimeout(timer);
      resolve(text);
    });
    void (async () => {
      for (const part of parts) {
        socket.write(part, 'latin1');
        await sleep(5);
      }
    })();
  });
}

/** Whether nobody listens there. */
export function isRefused(address: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(address);
    socket.on('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.on('error', () => resolve(true));
  });
}

/** Waits for something that will come, however slow the machine is. */
export async function until(holds: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 10) {
    if (await holds()) return;
    await sleep(10);
  }
  assert.fail(`did not happen: ${what}`);
}
