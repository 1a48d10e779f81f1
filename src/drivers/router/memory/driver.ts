// A router that lives in memory: the same choices and guarantees as a real one, without sockets, timers or chance. For tests and the simulation.

import { canonicalJson } from '../../../base/canonical-json.ts';
import { Failure } from '../../../base/failure.ts';
import type { Sample, SampleBatch } from '../../../core/gate/sample.ts';
import type { Routes } from '../../../core/routes.ts';
import { RouteChooser } from '../../../core/routing/route-chooser.ts';
import { type Scope, scopeName } from '../../../core/scope.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Router, RouterCapabilities } from '../../../ports/router.ts';
import { SampleStream } from './sample-stream.ts';

export type RouterOperation = 'check' | 'apply' | 'read' | 'drain' | 'remove';

/**
 * Called before and after each operation takes effect; it may throw (the operation fails: `before` without effect, `after` as a
 * lost answer) or resolve late (the operation is slow).
 */
export type RouterFault = (call: {
  readonly operation: RouterOperation;
  readonly phase: 'before' | 'after';
  readonly scope: Scope;
  readonly routes?: Routes | undefined;
}) => void | Promise<void>;

export interface MemoryRouterOptions {
  readonly clock: Clock;
  readonly fault?: RouterFault | undefined;
  /** What a test wants to be without, over the default of being able to do everything. */
  readonly capabilities?: Partial<RouterCapabilities> | undefined;
}

export interface MemoryRequestOptions {
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Whether it comes in at the preview address. */
  readonly preview?: boolean | undefined;
}

/** A request in flight on the instance that was chosen for it. */
export interface MemoryRequest {
  readonly release: string;
  readonly instance: string;
  readonly via: Sample['via'];
  /** The `Set-Cookie` of the answer, where visitors are kept. */
  readonly setCookie: string | undefined;
  /** Whether `drain` cut it. */
  readonly cut: boolean;
  /** Called when it is cut; a test may set it. */
  onCut?: (() => void) | undefined;
  /** Ends it; the first call counts, and gives the feed its sample. */
  end(status: number): void;
}

interface Flight extends MemoryRequest {
  cut: boolean;
}

interface ScopeState {
  chooser: RouteChooser | undefined;
  served: number;
  readonly flights: Set<Flight>;
  readonly drains: Set<() => void>;
  readonly readers: Set<SampleStream>;
}

const everything: RouterCapabilities = {
  feed: true,
  sticky: true,
  rules: { header: true, cookie: true },
  preview: true,
  cuts: true,
  granularity: 1,
};

export class MemoryRouter implements Router {
  readonly capabilities: RouterCapabilities;
  /** May be exchanged at any time. */
  fault: RouterFault | undefined;
  readonly #clock: Clock;
  readonly #scopes = new Map<string, ScopeState>();

  constructor(options: MemoryRouterOptions) {
    this.#clock = options.clock;
    this.fault = options.fault;
    this.capabilities = { ...everything, ...options.capabilities };
  }

  async check(scope: Scope): Promise<void> {
    await this.fault?.({ operation: 'check', phase: 'before', scope });
    await this.fault?.({ operation: 'check', phase: 'after', scope });
  }

  async apply(routes: Routes, signal?: AbortSignal): Promise<void> {
    const { scope } = routes;
    await this.fault?.({ operation: 'apply', phase: 'before', scope, routes });
    signal?.throwIfAborted();
    this.#put(structuredClone(routes));
    await this.fault?.({ operation: 'apply', phase: 'after', scope, routes });
  }

  async read(scope: Scope): Promise<Routes | undefined> {
    await this.fault?.({ operation: 'read', phase: 'before', scope });
    const routes = this.inForce(scope);
    await this.fault?.({ operation: 'read', phase: 'after', scope });
    return routes;
  }

  feed(scope: Scope, signal: AbortSignal): AsyncIterable<SampleBatch> {
    const { readers } = this.#state(scope);
    const stream = new SampleStream(signal, () => readers.delete(stream));
    if (!signal.aborted) readers.add(stream);
    return stream;
  }

  async drain(scope: Scope, instances: readonly string[], withinMs: number, signal?: AbortSignal): Promise<number> {
    await this.fault?.({ operation: 'drain', phase: 'before', scope });
    const state = this.#state(scope);
    const left = (): Flight[] => [...state.flights].filter((flight) => instances.includes(flight.instance));
    if (left().length > 0) await this.#settled(state, () => left().length === 0, withinMs, signal);
    signal?.throwIfAborted();
    const cut = left();
    for (const flight of cut) {
      flight.cut = true;
      flight.end(503);
      flight.onCut?.();
    }
    await this.fault?.({ operation: 'drain', phase: 'after', scope });
    return cut.length;
  }

  async remove(scope: Scope, signal?: AbortSignal): Promise<void> {
    await this.fault?.({ operation: 'remove', phase: 'before', scope });
    signal?.throwIfAborted();
    this.forget(scope);
    await this.fault?.({ operation: 'remove', phase: 'after', scope });
  }

  /** The routes in force, at once and without faults. */
  inForce(scope: Scope): Routes | undefined {
    return this.#scopes.get(scopeName(scope))?.chooser?.routes;
  }

  /** Forgets everything of a scope, as a router does that was removed; readers of its feed stay. */
  forget(scope: Scope): void {
    const state = this.#state(scope);
    state.chooser = undefined;
    for (const flight of state.flights) flight.end(503);
  }

  /** Sends a request in; undefined when no release could take it (a real router answers 503). */
  open(scope: Scope, options: MemoryRequestOptions = {}): MemoryRequest | undefined {
    const state = this.#state(scope);
    const { headers = {} } = options;
    const facts = {
      headerValues: (name: string) => (headers[name] === undefined ? [] : [headers[name]]),
      cookies: headers['cookie'],
    };
    const choice = options.preview === true ? state.chooser?.choosePreview() : state.chooser?.choose(facts);
    if (state.chooser === undefined || choice === undefined) return undefined;
    const { endpoints, release } = choice.group;
    const endpoint = endpoints[state.served++ % endpoints.length];
    if (endpoint === undefined) return undefined;
    const cookie = state.chooser.routes.sticky?.cookie;
    return this.#flight(state, {
      release,
      instance: endpoint.instance,
      via: choice.via,
      setCookie: choice.keep === undefined ? undefined : `${cookie}=${choice.keep}`,
    });
  }

  /** A whole request that ends at once. */
  request(scope: Scope, options: MemoryRequestOptions = {}, status = 200): MemoryRequest | undefined {
    const request = this.open(scope, options);
    request?.end(status);
    return request;
  }

  /** Gives the readers of the feed samples that a test made up, and tells them how many were lost. */
  push(scope: Scope, samples: readonly Sample[], lost = 0): void {
    for (const reader of this.#state(scope).readers) reader.push(samples, lost);
  }

  /** How many readers the feed of a scope has now. */
  readers(scope: Scope): number {
    return this.#state(scope).readers.size;
  }

  #put(routes: Routes): void {
    const state = this.#state(routes.scope);
    const current = state.chooser?.routes;
    if (current !== undefined && routes.revision <= current.revision) {
      if (routes.revision === current.revision && canonicalJson(routes) === canonicalJson(current)) return;
      throw new Failure('router.stale', `routes of ${scopeName(routes.scope)}: revision ${routes.revision} is older`, {
        at: scopeName(routes.scope),
        remedy: `The router has revision ${current.revision}; look with \`sluice status\` who put it there.`,
        details: { offered: routes.revision, inForce: current.revision },
      });
    }
    state.chooser = new RouteChooser(routes, (release) => release, state.chooser);
  }

  #flight(state: ScopeState, chosen: Pick<MemoryRequest, 'release' | 'instance' | 'via' | 'setCookie'>): Flight {
    const begunAt = this.#clock.now();
    const flight: Flight = {
      ...chosen,
      cut: false,
      end: (status) => {
        if (!state.flights.delete(flight)) return;
        const at = this.#clock.now();
        const origin = flight.cut ? 'router' : 'instance';
        const { release, instance, via } = chosen;
        const sample: Sample = { at, release, instance, status, latencyMs: at - begunAt, via, origin };
        for (const reader of state.readers) reader.push([sample], 0);
        for (const check of state.drains) check();
      },
    };
    state.flights.add(flight);
    return flight;
  }

  /** Resolves when `done`, after `withinMs`, or when `signal` aborts. */
  async #settled(state: ScopeState, done: () => boolean, withinMs: number, signal?: AbortSignal): Promise<void> {
    const over = new AbortController();
    const check = (): void => {
      if (done()) over.abort();
    };
    state.drains.add(check);
    await this.#clock.sleep(withinMs, signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]));
    state.drains.delete(check);
  }

  #state(scope: Scope): ScopeState {
    const name = scopeName(scope);
    const known = this.#scopes.get(name);
    if (known !== undefined) return known;
    const fresh: ScopeState = {
      chooser: undefined,
      served: 0,
      flights: new Set(),
      drains: new Set(),
      readers: new Set(),
    };
    this.#scopes.set(name, fresh);
    return fresh;
  }
}
