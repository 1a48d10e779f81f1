// The routes of a scope while no deployment is under way.

import { allTraffic, type Endpoint, type Routes } from '../routes.ts';
import type { Situation } from './situation.ts';

/** All traffic on stable, with the given instances. The warm release keeps a group without a share so that it stays connected. */
export function idleRoutes(situation: Situation, stable: readonly Endpoint[], warm: readonly Endpoint[]): Routes {
  return {
    scope: situation.scope,
    revision: situation.revision + 1,
    groups: [
      ...(situation.stable === undefined
        ? []
        : [{ release: situation.stable.release.id, share: allTraffic, endpoints: stable }]),
      ...(situation.warm === undefined
        ? []
        : [{ release: situation.warm.placement.release.id, share: 0, endpoints: warm }]),
    ],
    rules: [],
  };
}
