// What a scope without a deployment needs done, decided purely from what should be and what is.

import { canonicalJson } from '../base/canonical-json.ts';
import type { Instance } from '../core/instance.ts';
import { idleRoutes } from '../core/rollout/idle-routes.ts';
import type { Situation } from '../core/rollout/situation.ts';
import type { Endpoint, Routes } from '../core/routes.ts';

import { endpointOf } from './ensure-healthy.ts';

export interface Chores {
  /** Stable has fewer running instances than it should. */
  readonly revive: boolean;
  /** The warm release has stood by long enough. */
  readonly cool: boolean;
  /** Routes to put in force; undefined: those in force are right. */
  readonly routes?: Routes | undefined;
  /** Instances to stop: orphans, and those of a warm release whose time is over. */
  readonly stop: readonly Instance[];
}

export function choresOf(
  situation: Situation,
  instances: readonly Instance[],
  inForce: Routes | undefined,
  now: number,
): Chores {
  if (situation.leftBy !== undefined) return { revive: false, cool: false, stop: [] };
  const cool = situation.warm !== undefined && now >= situation.warm.until;
  const { warm: _warm, ...withoutWarm } = situation;
  const kept: Situation = cool ? withoutWarm : situation;
  const stable = endpointsOf(instances, kept.stable?.release.id);
  const warm = endpointsOf(instances, kept.warm?.placement.release.id);
  const wanted = idleRoutes(kept, stable, warm);
  const belongs = new Set([kept.stable?.release.id, kept.warm?.placement.release.id]);
  return {
    revive: kept.stable !== undefined && stable.length < kept.stable.instances,
    cool,
    // With no instance to send traffic to, the routes stay as they are: revived instances usually come back at their old address.
    ...(kept.stable === undefined || stable.length === 0 || alike(wanted, inForce) ? {} : { routes: wanted }),
    stop: instances.filter((instance) => !belongs.has(instance.release)),
  };
}

export function isIdle(chores: Chores): boolean {
  return !chores.revive && !chores.cool && chores.routes === undefined && chores.stop.length === 0;
}

function endpointsOf(instances: readonly Instance[], release: string | undefined): readonly Endpoint[] {
  return instances
    .filter((instance) => instance.release === release && instance.state === 'running')
    .map(endpointOf)
    .toSorted((a, b) => (a.instance < b.instance ? -1 : 1));
}

/** Same groups with the same endpoints, whatever the revision and the order of instances. */
function alike(wanted: Routes, inForce: Routes | undefined): boolean {
  return inForce !== undefined && canonicalJson(plain(wanted)) === canonicalJson(plain(inForce));
}

function plain(routes: Routes): Routes {
  return {
    scope: routes.scope,
    revision: 0,
    groups: routes.groups
      .filter((group) => group.share > 0 || group.endpoints.length > 0)
      .map((group) => ({ ...group, endpoints: group.endpoints.toSorted((a, b) => (a.instance < b.instance ? -1 : 1)) }))
      .toSorted((a, b) => (a.release < b.release ? -1 : 1)),
    rules: routes.rules,
  };
}
