// Routes: which share of traffic, and which matching requests, go to which release; computed from the rollout's state only.

import type { Address } from './instance.ts';
import type { ReleaseId } from './release.ts';
import type { Scope } from './scope.ts';

/** Shares are whole basis points: 10,000 = all traffic, 100 = 1 %. */
export const allTraffic = 10_000;

export interface Endpoint {
  /** The instance's id. */
  readonly instance: string;
  readonly address: Address;
}

export interface RouteGroup {
  readonly release: ReleaseId;
  /**
   * Basis points; the groups of one `Routes` add up to `allTraffic`, or to 0 where nothing is served yet (503). A group at 0 is
   * reached by rules and preview only.
   */
  readonly share: number;
  readonly endpoints: readonly Endpoint[];
}

/** Requests that match go to `release` whatever the shares say. The first rule that matches counts. */
export interface RouteRule {
  readonly release: ReleaseId;
  readonly match: RouteMatch;
}

/** A header's value, or one cookie's value, equals the text. Header names are lower case. */
export type RouteMatch =
  | { readonly header: string; readonly equals: string }
  | { readonly cookie: string; readonly equals: string };

/** Visitors stay with the release that first served them, as long as that release has a share. */
export interface Stickiness {
  readonly cookie: string;
  readonly maxAgeMs: number;
}

export interface Routes {
  readonly scope: Scope;
  /** Grows with each change of a scope's routes, over controllers and restarts; a router refuses an older one. */
  readonly revision: number;
  readonly groups: readonly RouteGroup[];
  readonly rules: readonly RouteRule[];
  readonly sticky?: Stickiness | undefined;
  /** The release that the preview address serves. */
  readonly preview?: ReleaseId | undefined;
  /** Active health check of each endpoint by the router; undefined: passive only. */
  readonly health?: { readonly path: string; readonly intervalMs: number; readonly timeoutMs: number } | undefined;
}

/** The share of a release in basis points; 0 where it has no group. */
export function shareOf(routes: Routes, release: ReleaseId): number {
  return routes.groups.find((group) => group.release === release)?.share ?? 0;
}

/** `12.5 %` for 1250 basis points. */
export function shareText(share: number): string {
  return `${Number((share / 100).toFixed(2))} %`;
}
