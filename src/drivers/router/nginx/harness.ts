// What the tests of the NGINX router share: an NGINX of their own, instances, and requests.

import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { Failure } from '../../../base/failure.ts';
import type { NginxRouterSpec } from '../../../core/plan/spec.ts';
import type { Endpoint, RouteGroup, Routes } from '../../../core/routes.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { ContractAnswer, ContractRequest, RouterHarness } from '../../../ports/router.contract.ts';
import { freePort } from '../../../../test/free-port.ts';
import { OwnNginx, type OwnNginxOptions } from '../../../../test/programs/nginx.ts';
import { createNginxRouter } from './driver.ts';

export const scope = { service: 'shop', environment: 'test' };

export const clock: Clock = {
  now: () => Date.now(),
  sleep: (durationMs, signal) => sleep(durationMs, undefined, { signal }).then(undefined, () => undefined),
};

export interface NginxHarness extends RouterHarness {
  readonly nginx: OwnNginx;
  readonly spec: NginxRouterSpec;
}

export interface HarnessOptions extends OwnNginxOptions {
  readonly spec?: Partial<NginxRouterSpec>;
  readonly started?: boolean;
}

export async function makeHarness(options: HarnessOptions = {}): Promise<NginxHarness> {
  const nginx = await OwnNginx.make(options);
  const spec = await testSpec(nginx, options.spec);
  if (options.started !== false) await nginx.start();
  const router = createNginxRouter({ spec, clock });
  const held = new Map<string, { instance: string; finish: () => void }>();
  const ends: (() => unknown)[] = [() => nginx.close()];
  let holds = 0;
  return {
    router,
    scope,
    nginx,
    spec,
    startInstance: async (id) => {
      const server = createServer((asked, response) => {
        response.setHeader('x-instance', id);
        const hold = asked.headers['x-hold'];
        if (typeof hold === 'string') held.set(hold, { instance: id, finish: () => response.end(id) });
        else response.end(id);
      });
      await new Promise<void>((resolve) => {
        server.listen(0, '127.0.0.1', resolve);
      });
      ends.push(() => {
        server.closeAllConnections();
        server.close();
      });
      return { instance: id, address: { host: '127.0.0.1', port: (server.address() as AddressInfo).port } };
    },
    request: (asked) => ask(spec, asked),
    hold: async (asked) => {
      const key = String((holds += 1));
      const answer = ask(spec, asked, key);
      answer.catch(() => undefined);
      for (;;) {
        const reached = held.get(key);
        if (reached !== undefined) return { ...reached, answer };
        await sleep(5);
      }
    },
    close: async () => {
      for (const end of ends.reverse()) await end();
    },
  };
}

export async function testSpec(nginx: OwnNginx, changes: Partial<NginxRouterSpec> = {}): Promise<NginxRouterSpec> {
  return {
    driver: 'nginx',
    listen: { host: '127.0.0.1', port: await freePort() },
    preview: { host: '127.0.0.1', port: await freePort() },
    include: nginx.include,
    program: nginx.program,
    by: { kind: 'request' },
    feedHost: '127.0.0.1',
    limits: { headerBytes: 16_384, idleMs: 60_000, answerMs: 60_000 },
    trustForwarded: false,
    ...changes,
  };
}

/** A request over a connection of its own. */
export function ask(spec: NginxRouterSpec, options: ContractRequest = {}, hold?: string): Promise<ContractAnswer> {
  const address = options.preview === true ? (spec.preview ?? spec.listen) : spec.listen;
  const headers = { ...options.headers, ...(hold === undefined ? {} : { 'x-hold': hold }) };
  return new Promise((resolve, reject) => {
    const asked = request({ ...address, headers, agent: false }, (answer) => {
      answer.on('error', reject);
      answer.on('end', () => resolve(answerOf(answer)));
      answer.resume();
    });
    asked.on('error', reject);
    asked.end();
  });
}

function answerOf(answer: IncomingMessage): ContractAnswer {
  const instance = answer.headers['x-instance'];
  return {
    status: answer.statusCode ?? 0,
    instance: typeof instance === 'string' ? instance : undefined,
    cookies: (answer.headers['set-cookie'] ?? []).map((cookie) => cookie.split(';')[0] ?? ''),
  };
}

export function group(release: string, share: number, ...endpoints: readonly Endpoint[]): RouteGroup {
  return { release, share, endpoints };
}

export function routesOf(revision: number, groups: readonly RouteGroup[], more: Partial<Routes> = {}): Routes {
  return { scope, revision, groups, rules: [], ...more };
}

/** The words may stand in the place or in the message. */
export function failsWith(code: Failure['code'], words: RegExp): (thrown: unknown) => boolean {
  return (thrown) => thrown instanceof Failure && thrown.code === code && words.test(`${thrown.at} ${thrown.message}`);
}
