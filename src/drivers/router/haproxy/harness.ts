// What the tests of the HAProxy driver share: HAProxy itself with a configuration of its user's, in a directory of its own.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import type { Address } from '../../../core/instance.ts';
import type { HaproxyRouterSpec } from '../../../core/plan/spec.ts';
import type { Endpoint, RouteGroup, Routes } from '../../../core/routes.ts';
import type { Log } from '../../../base/log.ts';
import { freePort } from '../../../../test/free-port.ts';
import { systemClock } from '../../clock/system-clock.ts';
import type { Router } from '../../../ports/router.ts';
import { createHaproxyRouter } from './driver.ts';
import { openSession } from './runtime/session.ts';

export const scope = { service: 'shop', environment: 'test' };

const execute = promisify(execFile);

/** Where HAProxy is installed; undefined where it is not. */
export async function findHaproxy(): Promise<string | undefined> {
  for (const path of ['haproxy', '/usr/sbin/haproxy', '/usr/local/sbin/haproxy']) {
    if ((await execute(path, ['-v']).catch(() => undefined)) !== undefined) return path;
  }
  return undefined;
}

/** Why the tests that need HAProxy are left out; false where it is there. */
export const withoutHaproxy = (await findHaproxy()) === undefined ? 'missing: haproxy (package haproxy)' : false;

export interface HaproxyOptions {
  /** What else the user's own configuration says. */
  readonly more?: string;
  /** `level admin expose-fd listeners` where nothing else is said. */
  readonly socketOptions?: string;
  /** Loads Sluice's directory; true where nothing else is said. */
  readonly loads?: boolean;
}

/** HAProxy in master-worker mode. */
export class Haproxy {
  readonly directory: string;
  readonly config: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly own: string;
  #child: ChildProcess | undefined;
  #said = '';
  readonly #options: HaproxyOptions;

  private constructor(directory: string, options: HaproxyOptions) {
    this.directory = directory;
    this.config = join(directory, 'haproxy.cfg');
    this.socket = join(directory, 'admin.sock');
    this.pidFile = join(directory, 'haproxy.pid');
    this.own = join(directory, 'sluice');
    this.#options = options;
  }

  static async start(options: HaproxyOptions = {}): Promise<Haproxy> {
    const haproxy = new Haproxy(await mkdtemp(join(tmpdir(), 'sluice-haproxy-')), options);
    await mkdir(haproxy.own);
    await haproxy.writeConfig(options.more ?? '');
    await haproxy.run();
    return haproxy;
  }

  /** What HAProxy wrote. */
  get said(): string {
    return this.#said;
  }

  get command(): readonly string[] {
    return [
      '-W',
      '-db',
      '-p',
      this.pidFile,
      '-f',
      this.config,
      ...(this.#options.loads === false ? [] : ['-f', this.own]),
    ];
  }

  async writeConfig(more: string): Promise<void> {
    await writeFile(
      this.config,
      `global
  stats socket ${this.socket} mode 600 ${this.#options.socketOptions ?? 'level admin expose-fd listeners'}
  nbthread 2
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend own
  bind ${join(this.directory, 'own.sock')}
${more}
`,
    );
  }

  /** Resolves when it answers. */
  async run(): Promise<void> {
    const child = spawn((await findHaproxy()) ?? 'haproxy', this.command, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
    for (let tries = 0; tries < 500; tries++) {
      if (child.exitCode !== null) throw new Error(`HAProxy ended: ${this.#said}`);
      if (await this.answers()) return;
      await sleep(10);
    }
    throw new Error(`HAProxy does not answer: ${this.#said}`);
  }

  async answers(): Promise<boolean> {
    return (await this.ask('show info').catch(() => '')) !== '';
  }

  /** An order over the Runtime API. */
  async ask(order: string): Promise<string> {
    const session = await openSession({ path: this.socket }, { timeoutMs: 2_000 });
    try {
      return await session.command(order);
    } finally {
      session.close();
    }
  }

  async master(): Promise<number> {
    return Number((await readFile(this.pidFile, 'utf8')).trim());
  }

  /** Kills master and worker at once, as a crash of the machine would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    const workers = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '');
    child.kill('SIGKILL');
    for (const worker of workers.trim().split(' ').filter(Boolean)) kill(Number(worker));
    await gone;
    while (await this.answers()) await sleep(5);
  }

  async end(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was gone already.
  }
}

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
