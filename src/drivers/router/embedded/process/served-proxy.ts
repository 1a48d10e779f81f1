// A proxy with its control socket and its state file: what the proxy program runs.

import { createHmac, randomBytes } from 'node:crypto';

import { canonicalJson } from '../../../../base/canonical-json.ts';
import { Failure } from '../../../../base/failure.ts';
import type { EmbeddedRouterSpec } from '../../../../core/plan/spec.ts';
import type { Routes } from '../../../../core/routes.ts';
import { sameScope, type Scope, scopeName } from '../../../../core/scope.ts';
import type { ControlRequest, Hello, ProxyProcess, ProxyState } from '../control/schema.ts';
import { ControlServer } from '../control/server.ts';
import { Proxy } from '../proxy/proxy.ts';
import type { WriteLog } from './proxy-log.ts';
import { StateWriter } from './state-file.ts';

export interface ServedProxyOptions {
  readonly scope: Scope;
  readonly settings: EmbeddedRouterSpec;
  /** As it was when the last proxy of this scope wrote it. */
  readonly former: ProxyState | undefined;
  readonly statePath: string;
  readonly socketPath: string;
  readonly process: ProxyProcess;
  readonly log: WriteLog;
  /** The asked-for end: `graceMs` for requests in flight. */
  readonly stop: (graceMs: number) => void;
}

export class ServedProxy {
  readonly #options: ServedProxyOptions;
  readonly #proxy: Proxy;
  readonly #control: ControlServer;
  readonly #state: StateWriter;
  readonly #cookieKey: string;
  #routes: Routes | undefined;
  /** Applies take effect one after the other. */
  #applying: Promise<unknown> = Promise.resolve();

  constructor(options: ServedProxyOptions) {
    this.#options = options;
    this.#cookieKey = options.former?.cookieKey ?? randomBytes(24).toString('base64url');
    this.#proxy = new Proxy(options.settings, (release) => this.#releaseToken(release), options.log);
    this.#control = new ControlServer(options.socketPath, this.#proxy.feed, (request, signal) =>
      this.#handle(request, signal),
    );
    this.#state = new StateWriter(options.statePath, () => this.#currentState());
    this.#routes = options.former?.routes;
  }

  /** Serves the last routes, then takes orders. */
  async start(): Promise<void> {
    if (this.#routes !== undefined) this.#proxy.put(this.#routes);
    await this.#proxy.start();
    await this.#state.save();
    await this.#control.listen();
  }

  /** Frees addresses and socket at once, calls `freed`, and resolves when the last request ended or `graceMs` are over. */
  async close(graceMs: number, freed: () => void): Promise<void> {
    await this.#control.close();
    const closed = this.#proxy.close(graceMs);
    setImmediate(freed);
    await closed;
    this.#control.destroy();
  }

  async #handle(request: Exclude<ControlRequest, { kind: 'feed' }>, signal: AbortSignal): Promise<unknown> {
    switch (request.kind) {
      case 'hello':
        return this.#hello();
      case 'apply':
        return this.#apply(request.settings, request.routes);
      case 'read':
        return { routes: this.#routes };
      case 'drain':
        return { left: await this.#proxy.drain(new Set(request.instances), request.withinMs, signal) };
      case 'stop':
        setImmediate(() => this.#options.stop(request.graceMs));
        return {};
    }
  }

  async #apply(settings: EmbeddedRouterSpec, routes: Routes): Promise<unknown> {
    const applied = this.#applying.then(() => this.#put(settings, routes));
    this.#applying = applied.catch(() => undefined);
    await applied;
    // In force first, on the disk second: going back must not wait for a disk. What is killed in between was not confirmed.
    await this.#state.save();
    return {};
  }

  async #put(settings: EmbeddedRouterSpec, routes: Routes): Promise<void> {
    const { scope, log } = this.#options;
    if (!sameScope(scope, routes.scope)) {
      throw new Failure('router.refused', `This proxy serves ${scopeName(scope)}, not ${scopeName(routes.scope)}.`, {
        at: scopeName(routes.scope),
        remedy: 'Give each environment a state directory of its own, or remove what was copied there.',
      });
    }
    this.#refuseStale(routes);
    if (canonicalJson(settings) !== canonicalJson(this.#proxy.settings)) {
      await this.#proxy.configure(settings);
      log('settings changed', { listen: settings.listen });
    } else this.#proxy.refreshCertificate();
    if (routes.revision === this.#routes?.revision) return;
    this.#routes = routes;
    this.#proxy.put(routes);
    log('routes changed', {
      revision: routes.revision,
      shares: routes.groups.map(({ release, share }) => ({ release, share })),
    });
  }

  #refuseStale(routes: Routes): void {
    const current = this.#routes;
    if (current === undefined || routes.revision > current.revision) return;
    const repeated = routes.revision === current.revision && canonicalJson(routes) === canonicalJson(current);
    if (repeated) return;
    const place = scopeName(routes.scope);
    throw new Failure(
      'router.stale',
      `Revision ${routes.revision} of the routes of ${place} is not newer than ${current.revision}.`,
      {
        at: place,
        remedy: 'Another controller is at work on this environment; look with `sluice status`.',
        details: { offered: routes.revision, inForce: current.revision },
      },
    );
  }

  #hello(): Hello {
    const { scope, process } = this.#options;
    return { scope, process, settings: this.#proxy.settings, revision: this.#routes?.revision };
  }

  #currentState(): ProxyState {
    const { scope, process } = this.#options;
    return {
      version: 1,
      scope,
      settings: this.#proxy.settings,
      cookieKey: this.#cookieKey,
      routes: this.#routes,
      process,
    };
  }

  #releaseToken(release: string): string {
    return createHmac('sha256', this.#cookieKey).update(release).digest('base64url').slice(0, 16);
  }
}
