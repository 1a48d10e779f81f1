// Puts together all that can be said of one scope: from the store, the platform and the router, each as far as it answers.

import { failureData } from '../base/failure.ts';
import type { Instance } from '../core/instance.ts';
import type { Routes } from '../core/routes.ts';
import { scopeName } from '../core/scope.ts';
import type { ScopeState } from '../ports/store.ts';
import type { LiveNumbers, ScopeStatus } from './controller.ts';
import type { Dependencies } from './dependencies.ts';
import { specOf } from './orphans.ts';

/** A platform or router that does not answer leaves its part empty; the rest is what a person needs most just then. */
export async function statusOf(
  deps: Dependencies,
  state: ScopeState,
  live: LiveNumbers | undefined,
): Promise<ScopeStatus> {
  const { situation, active, lease } = state;
  const spec = active?.plan.spec ?? (await specOf(deps, state));
  const drivers = spec === undefined ? undefined : deps.drivers(spec);
  const none: readonly Instance[] = [];
  const [attended, instances, routes] = await Promise.all([
    lease !== undefined && deps.clock.now() < lease.until ? deps.isDead(lease.holder).then((dead) => !dead) : false,
    drivers === undefined ? none : orElse(deps, state, none, () => drivers.platform.list(situation.scope)),
    drivers === undefined
      ? undefined
      : orElse<Routes | undefined>(deps, state, undefined, () => drivers.router.read(situation.scope)),
  ]);
  return {
    situation,
    attended,
    instances,
    ...(active === undefined ? {} : { active }),
    ...(lease === undefined ? {} : { lease }),
    ...(routes === undefined ? {} : { routes }),
    ...(live === undefined ? {} : { live }),
  };
}

async function orElse<T>(deps: Dependencies, state: ScopeState, fallback: T, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    deps.log.write('warn', 'a part of the status is not to be had', {
      scope: scopeName(state.situation.scope),
      error: failureData(error),
    });
    return fallback;
  }
}
