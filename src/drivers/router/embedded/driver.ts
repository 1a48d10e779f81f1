// The built-in proxy as a router: one proxy process per scope, reached over its control socket.

import { Failure } from '../../../base/failure.ts';
import { type Log, silentLog } from '../../../base/log.ts';
import type { SampleBatch } from '../../../core/gate/sample.ts';
import type { EmbeddedRouterSpec } from '../../../core/plan/spec.ts';
import type { Routes } from '../../../core/routes.ts';
import { type Scope, scopeName } from '../../../core/scope.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Router, RouterCapabilities } from '../../../ports/router.ts';
import { checkSettings } from './check.ts';
import { decodeBatch } from './control/batch-format.ts';
import { call, notRunning, stream, unreachable } from './control/client.ts';
import { type ControlRequest, drainSchema, emptySchema, readSchema } from './control/schema.ts';
import { ensureRunning, hello, removeProxy } from './process/proxies.ts';
import { type ScopeDirectory, scopeDirectory } from './process/scope-directory.ts';
import { readState } from './process/state-file.ts';

export { ensureRunning, listProxies, type ProxyInfo, removeProxy, stopProxy } from './process/proxies.ts';

export interface EmbeddedRouterOptions {
  /** Where the proxies keep their sockets, states and logs; made when it is missing. */
  readonly stateDirectory: string;
  readonly spec: EmbeddedRouterSpec;
  readonly clock: Clock;
  readonly log?: Log | undefined;
}

const capabilities: RouterCapabilities = {
  feed: true,
  sticky: true,
  rules: { header: true, cookie: true },
  preview: true,
  cuts: true,
  granularity: 1,
};

const answerMs = 10_000;
const reconnectMs = 100;
/** For what a drain before the removal left. */
const endMs = 1_000;

/** A router whose every scope is served by a process that needs no controller once it has its routes. */
export function createEmbeddedRouter(options: EmbeddedRouterOptions): Router {
  return new EmbeddedRouter(options);
}

class EmbeddedRouter implements Router {
  readonly capabilities: RouterCapabilities;
  readonly #options: EmbeddedRouterOptions;
  readonly #log: Log;

  constructor(options: EmbeddedRouterOptions) {
    this.#options = options;
    this.#log = options.log ?? silentLog;
    this.capabilities = { ...capabilities, preview: options.spec.preview !== undefined };
  }

  async check(scope: Scope): Promise<void> {
    const running = await hello(this.#files(scope));
    await checkSettings(this.#options.spec, running?.settings);
  }

  async apply(routes: Routes, signal?: AbortSignal): Promise<void> {
    const request: ControlRequest = { kind: 'apply', settings: this.#options.spec, routes };
    const { socket } = this.#files(routes.scope);
    for (let attempt = 0; attempt < 3; attempt++) {
      const answer = await call(socket, request, emptySchema, { signal, timeoutMs: answerMs });
      if (answer !== notRunning) return;
      this.#log.write('info', 'starting the built-in proxy', { scope: scopeName(routes.scope) });
      await ensureRunning(this.#options.stateDirectory, routes.scope, this.#options.spec);
    }
    throw unreachable(socket, 'it ended again and again while it was given its routes');
  }

  async read(scope: Scope): Promise<Routes | undefined> {
    const files = this.#files(scope);
    const answer = await call(files.socket, { kind: 'read' }, readSchema, { timeoutMs: answerMs });
    if (answer !== notRunning) return answer.routes;
    const state = await readState(files.state);
    if (state === undefined) return undefined;
    throw unreachable(files.socket, 'it is not running');
  }

  async *feed(scope: Scope, signal: AbortSignal): AsyncIterable<SampleBatch> {
    const { socket } = this.#files(scope);
    let told = false;
    while (!signal.aborted) {
      const problem = yield* this.#readFeed(socket, signal);
      if (signal.aborted) return;
      // The proxy is not there yet, or is being started again: samples go on when it is.
      if (!told) this.#log.write('warn', 'the feed of the built-in proxy waits', { scope: scopeName(scope), problem });
      told = true;
      await this.#options.clock.sleep(reconnectMs, signal);
    }
  }

  async drain(scope: Scope, instances: readonly string[], withinMs: number, signal?: AbortSignal): Promise<number> {
    const { socket } = this.#files(scope);
    const request: ControlRequest = { kind: 'drain', instances: [...instances], withinMs };
    const answer = await call(socket, request, drainSchema, { signal, timeoutMs: withinMs + answerMs });
    // Without a proxy there are no connections.
    return answer === notRunning ? 0 : answer.left;
  }

  async remove(scope: Scope, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await removeProxy(this.#options.stateDirectory, scope, endMs);
  }

  /** Yields batches until the connection ends; returns why it did. */
  async *#readFeed(socket: string, signal: AbortSignal): AsyncGenerator<SampleBatch, string> {
    try {
      const lines = await stream(socket, { kind: 'feed' }, signal);
      if (lines === notRunning) return 'it is not running';
      let confirmed = false;
      for await (const line of lines) {
        const batch = confirmed ? decodeBatch(line) : undefined;
        if (batch !== undefined) yield batch;
        else if (confirmed) return 'it sent a line that is no batch';
        confirmed = true;
      }
      return 'the connection ended';
    } catch (error) {
      if (error instanceof Failure) return error.message;
      return String(error);
    }
  }

  #files(scope: Scope): ScopeDirectory {
    return scopeDirectory(this.#options.stateDirectory, scope);
  }
}
