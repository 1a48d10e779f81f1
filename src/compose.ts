// Puts the real drivers together; nothing else knows them.

import { hostname } from 'node:os';
import type { Desk } from './api/desk.ts';
import { canonicalJson } from './base/canonical-json.ts';
import { Failure } from './base/failure.ts';
import type { Log } from './base/log.ts';
import type { Connection, ConnectOptions, DemoOptions, ServerHandle, ServerOptions } from './cli/context.ts';
import { createClient } from './client/client.ts';
import type { MetricSource } from './core/metrics/source.ts';
import type { AskWeb } from './core/metrics/web.ts';
import type { DeploySpec, PlatformSpec, RouterSpec } from './core/plan/spec.ts';
import type { Scope } from './core/scope.ts';
import { systemClock } from './drivers/clock/system-clock.ts';
import { randomIds } from './drivers/ids/random-ids.ts';
import { createFileLog } from './drivers/log/file-log.ts';
import { createCommandMetrics } from './drivers/metrics/command/driver.ts';
import { createHttpMetrics } from './drivers/metrics/http/driver.ts';
import { createPrometheusMetrics } from './drivers/metrics/prometheus/driver.ts';
import { createDockerPlatform } from './drivers/platform/docker/docker-platform.ts';
import { createImageReleases } from './drivers/platform/docker/image-releases.ts';
import { createProcessPlatform } from './drivers/platform/process/process-platform.ts';
import { isRunning, systemProcessTable } from './drivers/platform/process/process-table.ts';
import { createProber } from './drivers/prober/real/driver.ts';
import { releasesBySource } from './drivers/releases/by-source.ts';
import { createDirectoryReleases } from './drivers/releases/directory/directory-releases.ts';
import { createEmbeddedRouter } from './drivers/router/embedded/driver.ts';
import { createHaproxyRouter } from './drivers/router/haproxy/driver.ts';
import { removeProxy } from './drivers/router/embedded/process/proxies.ts';
import { createNginxRouter } from './drivers/router/nginx/driver.ts';
import { openSqliteStore } from './drivers/store/sqlite/driver.ts';
import { defaultTiming, type Dependencies, type Drivers, type EngineTiming } from './engine/dependencies.ts';
import { Engine } from './engine/engine.ts';
import type { Metrics } from './ports/metrics.ts';
import type { Platform } from './ports/platform.ts';
import type { Router } from './ports/router.ts';
import type { Holder, Store } from './ports/store.ts';
import { ownToken } from './own-token.ts';
import { placesUnder, type Places } from './places.ts';
import type { App } from './server/app.ts';
import { createDesk } from './server/desk.ts';
import type { Listening } from './server/listen.ts';
import type { Telemetry } from './server/telemetry.ts';

/** Port of the server on loopback, where nothing else is said. */
export const defaultPort = 7433;

export interface ComposeOptions {
  readonly home?: string | undefined;
  readonly verbose: boolean;
  readonly timing?: Partial<EngineTiming> | undefined;
  /** Stands between the engine and its store; for tests that end the process at a commit. */
  readonly aroundStore?: ((store: Store) => Store) | undefined;
}

/** A controller on the real drivers of this machine. */
export interface Composed {
  readonly engine: Engine;
  readonly desk: Desk;
  readonly places: Places;
  readonly log: Log;
  /** Frees what the drivers hold; the engine must have been closed before. */
  release(): void;
}

export async function compose(options: ComposeOptions): Promise<Composed> {
  const places = placesUnder(options.home);
  const echo = options.verbose ? (line: string) => void process.stderr.write(line) : undefined;
  const log = createFileLog({ file: places.log, clock: systemClock, level: options.verbose ? 'debug' : 'info', echo });
  const store = openSqliteStore({ file: places.store, log });
  const engine = new Engine(await dependencies(places, log, options.aroundStore?.(store) ?? store, options.timing));
  return { engine, desk: createDesk(engine), places, log, release: () => store.close() };
}

/** What others reach a controller by. Loaded when somebody listens: a command that stays in its own process starts faster without it. */
async function openUp({ engine, desk, log }: Composed, token?: string): Promise<{ app: App; telemetry: Telemetry }> {
  const { createApp } = await import('./server/app.ts');
  const { createTelemetry } = await import('./server/telemetry.ts');
  const telemetry = createTelemetry({ controller: engine, log });
  return { app: createApp({ desk, metrics: telemetry.metrics, log, token }), telemetry };
}

async function dependencies(
  places: Places,
  log: Log,
  store: Store,
  timing: Partial<EngineTiming> | undefined,
): Promise<Dependencies> {
  return {
    store,
    drivers: driversOf(places, log),
    releases: releasesBySource({
      directory: createDirectoryReleases({ directory: places.releases, clock: systemClock }),
      image: createImageReleases({ directory: places.images, clock: systemClock, log }),
    }),
    metrics: metricsOf(),
    prober: createProber({ clock: systemClock, variables: process.env }),
    clock: systemClock,
    ids: randomIds,
    log,
    holder: await ownHolder(),
    isDead,
    timing: { ...defaultTiming, ...timing },
  };
}

/** Platform and router of a specification, each chosen by its own settings. */
function driversOf(places: Places, log: Log): (spec: DeploySpec) => Drivers {
  const platformOf = oncePerSettings((spec: PlatformSpec) => createPlatform(spec, places, log));
  const routerOf = oncePerSettings((spec: RouterSpec) => createRouter(spec, places, log));
  return ({ platform, router }) => ({ platform: platformOf(platform), router: routerOf(router) });
}

/** Metric sources, each by its own settings. The web sources share the way to ask. */
function metricsOf(): (source: MetricSource) => Metrics {
  // Loaded with the first question: few commands ask one.
  const ask: AskWeb = async (source, url, signal) => {
    const { createAskWeb } = await import('./drivers/metrics/http/ask-web.ts');
    return createAskWeb({ variables: process.env })(source, url, signal);
  };
  return oncePerSettings((source: MetricSource) => createMetrics(source, ask));
}

function createMetrics(source: MetricSource, ask: AskWeb): Metrics {
  switch (source.driver) {
    case 'prometheus':
      return createPrometheusMetrics({ source, ask, clock: systemClock });
    case 'http':
      return createHttpMetrics({ source, ask, clock: systemClock });
    case 'command':
      return createCommandMetrics({ source, variables: process.env });
    case 'memory':
      throw testsOnly('metrics');
  }
}

/** Drivers are made once for the same settings, because they hold connections. */
function oncePerSettings<Settings, Driver>(make: (settings: Settings) => Driver): (settings: Settings) => Driver {
  const made = new Map<string, Driver>();
  return (settings) => {
    const key = canonicalJson(settings);
    const driver = made.get(key) ?? make(settings);
    made.set(key, driver);
    return driver;
  };
}

function createPlatform(spec: PlatformSpec, places: Places, log: Log): Platform {
  switch (spec.driver) {
    case 'process':
      return createProcessPlatform({
        stateDirectory: places.instances,
        releasesDirectory: places.releases,
        clock: systemClock,
        log,
        ...(spec.ports === undefined ? {} : { ports: { first: spec.ports.from, last: spec.ports.to, lowest: true } }),
      });
    case 'docker':
      return createDockerPlatform({ spec, owner: ownerOf(places), clock: systemClock, log });
    case 'memory':
      throw testsOnly('platform');
  }
}

function createRouter(spec: RouterSpec, places: Places, log: Log): Router {
  switch (spec.driver) {
    case 'embedded':
      return createEmbeddedRouter({ stateDirectory: places.proxies, spec, clock: systemClock, log });
    case 'haproxy':
      return createHaproxyRouter({ spec, clock: systemClock, log });
    case 'nginx':
      return createNginxRouter({ spec, clock: systemClock, log });
    case 'memory':
      throw testsOnly('router');
  }
}

/** Made once with the home, and goes wherever the home goes. */
function ownerOf(places: Places): string {
  return ownToken(places.owner).slice(0, 8);
}

function testsOnly(what: 'metrics' | 'platform' | 'router'): Failure {
  return new Failure('plan.unsupported', `the ${what} memory runs in tests only`, {
    at: what,
    remedy: `Choose another ${what}; docs/reference/config.md lists them.`,
  });
}

/** This process, as it signs its leases. */
async function ownHolder(): Promise<Holder> {
  const table = systemProcessTable();
  const entry = await table.entry(process.pid);
  return {
    controller: randomIds.next('controller'),
    host: hostname(),
    pid: process.pid,
    started: `${await table.boot()} ${entry?.startTime ?? ''}`,
  };
}

/** A process of this machine that no longer runs; of other machines nothing is known. */
async function isDead(holder: Holder): Promise<boolean> {
  if (holder.host !== hostname()) return false;
  const [boot = '', startTime = ''] = holder.started.split(' ');
  return !(await isRunning(systemProcessTable(), { pid: holder.pid, boot, startTime }));
}

/** A controller in this process. While it carries something out, others reach it at the socket, as they would a server. */
export async function connectHere(options: ConnectOptions): Promise<Connection> {
  const composed = await compose({ home: options.home, verbose: options.verbose });
  const { engine, desk } = composed;
  const client = createClient({ desk });
  let listening: Listening | undefined;
  const attending = async <T>(work: () => Promise<T>): Promise<T> => {
    listening ??= await listenUnlessTaken(composed);
    engine.attend();
    return work();
  };
  let closed: Promise<void> | undefined;
  const end = async (mode: 'leave' | 'settle', note?: (text: string) => void): Promise<void> => {
    if (mode === 'leave') await outlast(engine, note);
    await engine.close(mode);
    await client.close();
    await listening?.close();
    composed.release();
  };
  return {
    mode: 'local',
    client: {
      ...client,
      deploy: (request) => attending(() => client.deploy(request)),
      rollback: (request) => attending(() => client.rollback(request)),
      command: (scope, command, asker) => attending(() => client.command(scope, command, asker)),
    },
    close: (mode, note) => (closed ??= end(mode, note)),
  };
}

const outlastEveryMs = 200;

/** Others at the socket may have had this process carry out deployments of theirs, which would stand still half way without it. */
async function outlast(engine: Engine, note?: (text: string) => void): Promise<void> {
  for (let told = false; ; told = true) {
    const names = engine.working();
    if (names.length === 0) return;
    if (!told)
      note?.(`This process also carries out ${names.join(' and ')} for somebody else; it stays until that ends.`);
    await systemClock.sleep(outlastEveryMs);
  }
}

/** Another command may have begun in the same moment and be the one that others reach; who may deploy what, the lease decides. */
async function listenUnlessTaken(composed: Composed): Promise<Listening | undefined> {
  const { listen } = await import('./server/listen.ts');
  const { app } = await openUp(composed);
  try {
    return await listen({ app, unixSocket: composed.places.socket });
  } catch (error) {
    if (error instanceof Failure && error.code === 'server.running') return undefined;
    throw error;
  }
}

/** The server: takes up what was left, looks after every scope, and listens. */
export async function startServer(options: ServerOptions): Promise<ServerHandle> {
  const { isLoopbackHost, listen } = await import('./server/listen.ts');
  const address = listenAddress(options.listen);
  // On loopback a token that only our user can read is enough; an address that others see needs one that somebody chose.
  const ownSuffices = options.token === undefined && (await isLoopbackHost(address.host));
  const token = ownSuffices ? ownToken(placesUnder(options.home).token) : options.token;
  const composed = await compose({ home: options.home, verbose: options.verbose });
  const { engine, places } = composed;
  const stop = new AbortController();
  let listening: Listening;
  let telemetry: Telemetry;
  try {
    const opened = await openUp(composed, token);
    telemetry = opened.telemetry;
    listening = await listen({ app: opened.app, ...address, unixSocket: options.socket ?? places.socket });
  } catch (error) {
    composed.release();
    throw error;
  }
  const measured = telemetry.run(stop.signal);
  engine.serve();
  const ended = Promise.withResolvers<void>();
  measured.catch((error: unknown) => ended.reject(error));
  const close = async (): Promise<void> => {
    stop.abort();
    await engine.close('leave');
    await listening.close();
    await measured;
    composed.release();
    ended.resolve();
  };
  return { addresses: listening.addresses, ended: ended.promise, close };
}

function listenAddress(listenOn: string | undefined): { readonly host: string; readonly port: number } {
  if (listenOn === undefined) return { host: '127.0.0.1', port: defaultPort };
  const colon = listenOn.lastIndexOf(':');
  const host = colon === -1 ? '127.0.0.1' : listenOn.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const port = Number(listenOn.slice(colon + 1));
  if (Number.isInteger(port) && port >= 0 && port <= 65_535 && host !== '') return { host, port };
  throw new Failure('usage', `${JSON.stringify(listenOn)} is no address to listen on`, {
    at: '--listen',
    remedy: 'Write `host:port`, such as 127.0.0.1:7433, or a port alone.',
  });
}

/** Ends what runs for a scope under `home`, instances and proxy, without a word to its users. No controller may be at work there. */
export async function takeDown(home: string, scope: Scope): Promise<void> {
  const places = placesUnder(home);
  const platform = createProcessPlatform({
    stateDirectory: places.instances,
    releasesDirectory: places.releases,
    clock: systemClock,
  });
  const endInstances = async (): Promise<void> => {
    const releases = new Set((await platform.list(scope)).map((instance) => instance.release));
    await Promise.all([...releases].map((release) => platform.stop({ scope, release, graceMs: 2000 })));
  };
  const ended = await Promise.allSettled([endInstances(), removeProxy(places.proxies, scope, 2000)]);
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
}

/** The demonstration, with this program as its actor. */
export async function demo(options: DemoOptions): Promise<number> {
  const { runDemo } = await import('./demo/demo.ts');
  return runDemo(options);
}
