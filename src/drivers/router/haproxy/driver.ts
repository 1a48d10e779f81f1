// HAProxy as a router: shares, servers and drains by orders to the running program; its configuration is written so that it starts again with the same.

import { Failure } from '../../../base/failure.ts';
import { type Log, silentLog } from '../../../base/log.ts';
import { isCode } from '../../../base/system-error.ts';
import type { SampleBatch } from '../../../core/gate/sample.ts';
import type { HaproxyRouterSpec } from '../../../core/plan/spec.ts';
import type { Routes } from '../../../core/routes.ts';
import { type Scope, scopeName } from '../../../core/scope.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Router, RouterCapabilities } from '../../../ports/router.ts';
import { generationName, type Layout, layoutFor } from './config/layout.ts';
import { nameOfSeat, place, seatText, type Placement } from './config/placement.ts';
import { digestOf } from './config/record.ts';
import { HaproxyFeed } from './feed/feed.ts';
import { drainSeats } from './runtime/drain.ts';
import { openSession, type RuntimeSession } from './runtime/session.ts';
import {
  finishedRequests,
  isLeaving,
  readInFlight,
  readRunning,
  readServers,
  type RunningState,
} from './runtime/state.ts';
import { tidy, LiveMap, serves, switchTo } from './runtime/switch.ts';
import { checkAddresses, checkRuntime } from './install/check.ts';
import { withDirectoryLock } from './install/directory-lock.ts';
import { endForgottenClosing, type Installation, isClosingForgotten, pollMs, reloadMs } from './install/change.ts';
import { ScopeFiles } from './install/files.ts';
import { checkConfiguration, install } from './install/install.ts';
import { findLoader, type Loader, runningWith } from './install/loader.ts';
import { checkReload } from './install/reload.ts';
import { takeOut } from './install/removal.ts';

export interface HaproxyRouterOptions {
  readonly spec: HaproxyRouterSpec;
  readonly clock: Clock;
  readonly log?: Log | undefined;
}

const answerMs = 5_000;
/** Somebody else's reload can take the answers to another process between an order and its proof. */
const attempts = 3;

export function createHaproxyRouter(options: HaproxyRouterOptions): Router {
  return new HaproxyRouter(options);
}

class HaproxyRouter implements Router {
  readonly capabilities: RouterCapabilities;
  readonly #spec: HaproxyRouterSpec;
  readonly #clock: Clock;
  readonly #log: Log;
  /** The map that HAProxy was last seen to have, by scope. */
  readonly #maps = new Map<string, string>();
  /** One per scope. */
  readonly #feeds = new Map<string, HaproxyFeed>();

  constructor({ spec, clock, log = silentLog }: HaproxyRouterOptions) {
    this.#spec = spec;
    this.#clock = clock;
    this.#log = log;
    this.capabilities = {
      feed: true,
      sticky: true,
      rules: { header: true, cookie: true },
      preview: spec.preview !== undefined,
      cuts: true,
      granularity: 1,
    };
  }

  async check(scope: Scope): Promise<void> {
    await this.#locked(async () => {
      const files = new ScopeFiles(this.#spec.directory, scope);
      await this.#inSession(undefined, async (session) => {
        const worker = await checkRuntime(session);
        const running = await readRunning(session, scope);
        const there = await files.layout();
        const layout = layoutFor(this.#spec, running?.record?.routes ?? noRoutes(scope), there, noRoom);
        const installation = await this.#installation(scope, worker);
        if (running !== undefined) assertLoadedFrom(running, installation.loader.directory);
        // Traffic moves without a reload, so whatever would keep HAProxy from one must not keep anybody from going back.
        if (running?.generation === generationName(layout)) return;
        await checkReload(this.#spec.reload, worker);
        // Without its file nobody knows which addresses HAProxy listens on for the scope already.
        const known = running === undefined || there !== undefined;
        if (installation.loader.ownNetwork && known)
          await checkAddresses(this.#spec, running === undefined ? undefined : there);
        const record = running?.record ?? { routes: noRoutes(scope), slots: {}, seats: [], left: [] };
        await checkConfiguration(installation, { layout, record });
      });
    });
  }

  async apply(routes: Routes, signal?: AbortSignal): Promise<void> {
    await this.#locked(async () => {
      for (let attempt = 0; attempt < attempts; attempt++) {
        await this.#inSession(signal, (session) => this.#applyOver(session, routes, signal));
        if (await this.#inLastingSession(signal, (session) => isInForce(session, routes))) return;
      }
      throw new Failure(
        'router.refused',
        'HAProxy took the routes again and again, and did not have them afterwards.',
        {
          remedy: 'Look whether something else reloads HAProxy or changes its map all the time.',
        },
      );
    }, signal);
  }

  async read(scope: Scope): Promise<Routes | undefined> {
    return this.#inSession(undefined, async (session) => {
      const record = (await readRunning(session, scope))?.record;
      if (record === undefined) return undefined;
      const servers = await readServers(session, scope);
      const seated = record.seats.filter((seat) => serves(servers.get(nameOfSeat(seat)), seat));
      const isSeated = new Set(seated.map((seat) => seat.instance));
      // An instance whose server was changed by hand is none that the routes lead to.
      const groups = record.routes.groups.map((group) => ({
        ...group,
        endpoints: group.endpoints.filter(({ instance }) => isSeated.has(instance)),
      }));
      return { ...record.routes, groups };
    });
  }

  feed(scope: Scope, signal: AbortSignal): AsyncIterable<SampleBatch> {
    const name = scopeName(scope);
    const feed = this.#feeds.get(name) ?? this.#newFeed(scope);
    this.#feeds.set(name, feed);
    return feed.read(signal);
  }

  async remove(scope: Scope, signal?: AbortSignal): Promise<void> {
    try {
      await this.#locked(() => this.#remove(scope, signal), signal);
    } catch (error) {
      // Without the directory there are no files; whether HAProxy still serves by what it loaded from there, it says itself.
      if (!isMissing(error, this.#spec.directory) || (await this.#isServed(scope, signal))) throw error;
    }
    const name = scopeName(scope);
    this.#maps.delete(name);
    this.#feeds.get(name)?.changed(undefined);
  }

  async #remove(scope: Scope, signal: AbortSignal | undefined): Promise<void> {
    const files = new ScopeFiles(this.#spec.directory, scope);
    for (let attempt = 0; attempt < attempts; attempt++) {
      await this.#whereServed(scope, signal, (session, running) => this.#takeOut(session, running, scope, signal));
      await files.remove();
      // Somebody else's reload may have read the files just before they went.
      if (!(await this.#isServed(scope, signal))) return this.#endForgottenClosing(signal);
    }
    throw new Failure(
      'router.refused',
      `HAProxy still serves ${scopeName(scope)} after it was taken out again and again.`,
      { remedy: 'Look whether something else reloads HAProxy or writes this service’s files all the time.' },
    );
  }

  /** Nothing of this scope is left, but the clients of others may still be asked to close. */
  async #endForgottenClosing(signal: AbortSignal | undefined): Promise<void> {
    const { directory } = this.#spec;
    if (!isClosingForgotten(directory)) return;
    await this.#whereItRuns(signal, async (session) => {
      const loader = await findLoader(this.#spec, await checkRuntime(session));
      await endForgottenClosing(session, directory, loader.directory);
    });
    // Without a HAProxy that runs nobody is asked.
    await endForgottenClosing(undefined, directory, directory);
  }

  async #takeOut(
    session: RuntimeSession,
    running: RunningState,
    scope: Scope,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    this.#log.write('info', 'HAProxy is reloaded, because a service is taken out of it', { scope: scopeName(scope) });
    const installation = await this.#installation(scope, await checkRuntime(session), signal);
    assertLoadedFrom(running, installation.loader.directory);
    await takeOut(installation, session);
  }

  async #isServed(scope: Scope, signal: AbortSignal | undefined): Promise<boolean> {
    return (await this.#whereServed(scope, signal, async () => true)) ?? false;
  }

  /** Acts on the process that serves the scope; undefined where none does. */
  async #whereServed<T>(
    scope: Scope,
    signal: AbortSignal | undefined,
    act: (session: RuntimeSession, running: RunningState) => Promise<T>,
  ): Promise<T | undefined> {
    return this.#whereItRuns(signal, async (session) => {
      const running = await readRunning(session, scope);
      return running === undefined ? undefined : act(session, running);
    });
  }

  /**
   * Undefined where no HAProxy runs: where nobody listens at the socket and none with this directory is seen, nothing is served. So a
   * machine whose HAProxy is stopped for good can be cleaned, and one that is started again finds no files. One that listens
   * without answering, or elsewhere, may serve, so that is a failure.
   */
  async #whereItRuns<T>(
    signal: AbortSignal | undefined,
    act: (session: RuntimeSession) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await this.#inLastingSession(signal, act);
    } catch (error) {
      if (!(error instanceof Failure) || !isCode(error.cause, 'ENOENT', 'ECONNREFUSED')) throw error;
      const running = await runningWith(this.#spec);
      if (running === undefined) return undefined;
      throw new Failure(
        'router.unreachable',
        `HAProxy (${running}) runs, but nobody listens at the socket that it had.`,
        {
          at: 'router.haproxy.socket',
          remedy: 'Restart it with its `stats socket` there, or stop it; then try again.',
          cause: error,
        },
      );
    }
  }

  /** With a process that stays: one that a reload has replaced may answer for a while, and does not know what came after it. */
  async #inLastingSession<T>(
    signal: AbortSignal | undefined,
    act: (session: RuntimeSession) => Promise<T>,
  ): Promise<T> {
    for (let waited = 0; waited < reloadMs; waited += pollMs) {
      const acted = await this.#inSession(signal, async (session) =>
        (await isLeaving(session)) ? undefined : { result: await act(session) },
      );
      if (acted !== undefined) return acted.result;
      await this.#clock.sleep(pollMs, signal);
      signal?.throwIfAborted();
    }
    throw new Failure('router.unreachable', 'HAProxy is ending, and no other process of it answers.', {
      remedy: 'Start it again, or wait until it has ended.',
    });
  }

  async drain(scope: Scope, instances: readonly string[], withinMs: number, signal?: AbortSignal): Promise<number> {
    return drainSeats({ scope, instances, withinMs, clock: this.#clock, signal }, (act) =>
      this.#inSession(signal, act),
    );
  }

  #newFeed(scope: Scope): HaproxyFeed {
    return new HaproxyFeed({
      listen: this.#spec.feed.listen,
      files: new ScopeFiles(this.#spec.directory, scope),
      totals: () => this.#inSession(undefined, (session) => finishedRequests(session, scope)),
      clock: this.#clock,
      log: this.#log,
    });
  }

  async #applyOver(session: RuntimeSession, routes: Routes, signal: AbortSignal | undefined): Promise<void> {
    const { scope } = routes;
    const files = new ScopeFiles(this.#spec.directory, scope);
    const name = scopeName(scope);
    const [running, there] = await Promise.all([readRunning(session, scope, this.#maps.get(name)), files.layout()]);
    if (running !== undefined) this.#maps.set(name, running.map);
    assertNotOlder(routes, running);
    const { record, room } = await placed(session, routes, running, there);
    const layout = layoutFor(this.#spec, routes, there, room);
    if (running === undefined || running.generation !== generationName(layout)) {
      this.#log.write('info', 'HAProxy is reloaded, because its configuration has to change', {
        scope: scopeName(scope),
      });
      const installation = await this.#installation(scope, await checkRuntime(session), signal);
      await install(installation, { layout, record }, session);
      this.#feeds.get(name)?.changed(layout.feedToken);
      return;
    }
    const map = new LiveMap(session, running);
    await switchTo(session, map, record, layout, running.record);
    await files.write({ layout, record }, directoryOf(running));
    await tidy(session, map, record);
    await endForgottenClosing(session, this.#spec.directory, directoryOf(running));
  }

  async #installation(scope: Scope, worker: number, signal?: AbortSignal): Promise<Installation> {
    const loader: Loader = await findLoader(this.#spec, worker);
    return { spec: this.#spec, scope, clock: this.#clock, loader, worker, signal };
  }

  #locked<T>(act: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return withDirectoryLock(this.#spec.directory, this.#clock, act, signal);
  }

  async #inSession<T>(signal: AbortSignal | undefined, act: (session: RuntimeSession) => Promise<T>): Promise<T> {
    const session = openSession(this.#spec.socket, { timeoutMs: answerMs, signal });
    try {
      return await act(session);
    } finally {
      session.close();
    }
  }
}

const noRoom = { slots: 0, servers: 0 };

function noRoutes(scope: Scope): Routes {
  return { scope, revision: 0, groups: [], rules: [] };
}

function assertNotOlder(routes: Routes, running: RunningState | undefined): void {
  const head = running?.head;
  if (head === undefined || head.revision < routes.revision) return;
  if (head.revision === routes.revision && head.digest === digestOf(routes)) return;
  const message =
    head.revision === routes.revision
      ? `HAProxy has other routes of the revision ${routes.revision} of ${scopeName(routes.scope)}.`
      : `HAProxy has routes of the revision ${head.revision} of ${scopeName(routes.scope)}, these are of ${routes.revision}.`;
  throw new Failure('router.stale', message, { remedy: 'Another controller is at work; look with `sluice status`.' });
}

/** Servers in use are looked at only where an instance needs one that it did not have. */
async function placed(
  session: RuntimeSession,
  routes: Routes,
  running: RunningState | undefined,
  layout: Layout | undefined,
): Promise<Placement> {
  const room = { servers: layout?.servers ?? usualRoom };
  const first = place(routes, running?.record, room, new Set());
  const had = new Set([...(running?.record?.seats ?? []), ...(running?.record?.left ?? [])].map(seatText));
  if (running === undefined || first.record.seats.every((seat) => had.has(seatText(seat)))) return first;
  const inFlight = await readInFlight(session, routes.scope);
  const busy = new Set([...inFlight].filter(([, count]) => count > 0).map(([name]) => name));
  return place(routes, running.record, room, busy);
}

const usualRoom = 10;

/** The directory as HAProxy sees it. */
function directoryOf({ map }: RunningState): string {
  return map.slice(0, map.lastIndexOf('/'));
}

/** What is written elsewhere would not be found by a HAProxy that is started again. */
function assertLoadedFrom(running: RunningState, directory: string): void {
  const loaded = directoryOf(running);
  if (loaded === directory) return;
  throw new Failure('router.setup', `HAProxy serves this service from ${loaded}, not from ${directory}.`, {
    at: 'router.haproxy.directory',
    remedy: `Write \`directory: ${loaded}\`, or remove the service’s files there and reload HAProxy.`,
  });
}

function isMissing(error: unknown, directory: string): boolean {
  return error instanceof Failure && error.at === directory && isCode(error.cause, 'ENOENT', 'ENOTDIR');
}

async function isInForce(session: RuntimeSession, routes: Routes): Promise<boolean> {
  const running = await readRunning(session, routes.scope);
  return running?.head?.revision === routes.revision && running.head.digest === digestOf(routes);
}
