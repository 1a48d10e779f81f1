// Instances that Sluice started and nothing refers to any more.

import type { Instance } from '../core/instance.ts';
import type { ReleaseId } from '../core/release.ts';
import type { ScopeState } from '../ports/store.ts';
import type { Dependencies } from './dependencies.ts';

/** Releases whose instances belong in the scope now. */
export function referenced(state: ScopeState): ReadonlySet<ReleaseId> {
  const { situation, active } = state;
  return new Set(
    [
      situation.stable?.release.id,
      situation.warm?.placement.release.id,
      active?.plan.candidate.id,
      active?.plan.stable?.id,
    ].filter((id) => id !== undefined),
  );
}

export async function orphansOf(deps: Dependencies, state: ScopeState): Promise<readonly Instance[]> {
  const spec = await specOf(deps, state);
  if (spec === undefined || state.situation.leftBy !== undefined) return [];
  const known = referenced(state);
  const instances = await deps.drivers(spec).platform.list(state.situation.scope);
  return instances.filter((instance) => !known.has(instance.release));
}

/** The specification that says where a scope's instances are: of stable, of what was taken away, or else of the newest deployment. */
export async function specOf(deps: Dependencies, state: ScopeState) {
  const { stable, removal } = state.situation;
  if (stable !== undefined) return stable.spec;
  if (removal !== undefined) return removal.spec;
  const [newest] = await deps.store.rollouts({ scope: state.situation.scope, limit: 1 });
  return newest?.plan.spec;
}
