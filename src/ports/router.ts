// The router port: sends shares of live traffic to releases and tells of every finished request.

import type { RouterCapabilities } from '../core/router-capabilities.ts';
import type { SampleBatch } from '../core/gate/sample.ts';
import type { Routes } from '../core/routes.ts';
import type { Scope } from '../core/scope.ts';

export type { RouterCapabilities };

export interface Router {
  readonly capabilities: RouterCapabilities;
  /** Rejects with what would keep this router from serving the scope (`port.taken`, a missing file …); changes nothing. */
  check(scope: Scope): Promise<void>;
  /**
   * Makes these the routes, at once for every new request; requests in flight end where they began. Resolves when they are in
   * force. Idempotent for the same revision; rejects an older one with `router.stale` and a router that does not answer with
   * `router.unreachable`. The first call for a scope makes the router listen (`port.taken` where it cannot).
   */
  apply(routes: Routes, signal?: AbortSignal): Promise<void>;
  /** The routes in force, read back from the router itself; undefined where it has none. */
  read(scope: Scope): Promise<Routes | undefined>;
  /** Samples of finished requests from now on, in batches at most 250 ms apart while there are any; ends when `signal` aborts. */
  feed(scope: Scope, signal: AbortSignal): AsyncIterable<SampleBatch>;
  /**
   * Resolves with the number of requests and upgraded connections still in flight on these instances: as soon as it is 0, or
   * after `withinMs`, when what is left is cut; a router that cannot cut leaves that to the end of the instance.
   */
  drain(scope: Scope, instances: readonly string[], withinMs: number, signal?: AbortSignal): Promise<number>;
  /**
   * Serves the scope no more: nothing listens for it, `read` gives undefined, and what was kept for it is gone, so that later
   * routes are its first ones. Requests in flight are not waited for: `drain` comes before. Resolves when it is so. Idempotent; a
   * scope without routes is no error. Rejects with `router.unreachable`, `router.refused` …; then it may be called again.
   */
  remove(scope: Scope, signal?: AbortSignal): Promise<void>;
}
