// Removes what nobody needs any more: copies of old releases, and instances of deployments that are dead.

import { sameScope, scopeName, type Scope } from '../core/scope.ts';
import type { ReleaseId } from '../core/release.ts';
import type { ScopeState } from '../ports/store.ts';
import type { PruneAnswer, PruneRequest } from './controller.ts';
import type { Dependencies } from './dependencies.ts';
import { orphansOf, specOf } from './orphans.ts';

/** What `prune` may never touch, and how many releases are kept besides; pure. */
export function removable(
  stored: readonly { readonly id: ReleaseId; readonly storedAt: number }[],
  needed: ReadonlySet<ReleaseId>,
  keep: number,
): readonly ReleaseId[] {
  return stored
    .filter((release) => !needed.has(release.id))
    .toSorted((a, b) => b.storedAt - a.storedAt)
    .slice(keep)
    .map((release) => release.id);
}

/** Releases that a scope may need: stable, warm, the last known good one, and both sides of a deployment under way. */
export function neededBy(state: ScopeState): readonly ReleaseId[] {
  const { situation, active } = state;
  return [
    situation.stable?.release.id,
    situation.warm?.placement.release.id,
    situation.earlier[0]?.release.id,
    active?.plan.candidate.id,
    active?.plan.stable?.id,
  ].filter((id) => id !== undefined);
}

export async function prune(
  deps: Dependencies,
  request: PruneRequest,
  sweep: (scope: Scope) => Promise<readonly string[]>,
): Promise<PruneAnswer> {
  const states = await deps.store.scopes();
  const wanted = states.filter(
    ({ situation }) => request.scope === undefined || sameScope(request.scope, situation.scope),
  );
  // Of what is gone nothing runs, and its engine may be gone as well.
  const there = wanted.filter(({ situation }) => situation.removal?.finished !== true);
  const instances: string[] = [];
  for (const state of there) {
    const { scope } = state.situation;
    instances.push(
      ...(request.dryRun ? (await orphansOf(deps, state)).map((instance) => instance.id) : await sweep(scope)),
    );
  }
  const releases = await pruneReleases(deps, states, wanted, {
    dryRun: request.dryRun,
    gone: new Set(request.dryRun ? instances : []),
  });
  deps.log.write('info', 'pruned', {
    actor: request.actor,
    dryRun: request.dryRun,
    releases: releases.length,
    instances: instances.length,
  });
  return { releases, instances, dryRun: request.dryRun };
}

interface PruneOptions {
  readonly dryRun: boolean;
  /** Instances that would have been ended before. */
  readonly gone: ReadonlySet<string>;
}

/** Releases that still have instances, needed or not: a program may read its files as long as it runs. */
async function runningOf(
  deps: Dependencies,
  states: readonly ScopeState[],
  gone: ReadonlySet<string>,
): Promise<readonly ReleaseId[]> {
  const listed = await Promise.all(
    states.map(async (state) => {
      if (state.situation.removal?.finished === true) return [];
      const spec = await specOf(deps, state);
      return spec === undefined ? [] : deps.drivers(spec).platform.list(state.situation.scope);
    }),
  );
  return listed.flat().flatMap(({ id, state, release }) => (state === 'running' && !gone.has(id) ? [release] : []));
}

/** A service's releases are shared by its environments, so all of them have a say in what is still needed. */
async function pruneReleases(
  deps: Dependencies,
  all: readonly ScopeState[],
  wanted: readonly ScopeState[],
  { dryRun, gone }: PruneOptions,
): Promise<PruneAnswer['releases']> {
  const removed: { readonly id: ReleaseId; readonly bytes: number }[] = [];
  for (const service of new Set(wanted.map(({ situation }) => situation.scope.service))) {
    const ofService = all.filter(({ situation }) => situation.scope.service === service);
    const needed = new Set([...ofService.flatMap(neededBy), ...(await runningOf(deps, ofService, gone))]);
    // A service that was taken away, and is being deployed anew, has had more than what is stable now.
    const specs = ofService.map(
      ({ situation: { stable, removal, earlier }, active }) =>
        stable?.spec ?? removal?.spec ?? active?.plan.spec ?? earlier[0]?.spec,
    );
    const keep = Math.max(0, ...specs.map((spec) => spec?.keepReleases ?? 0));
    const stored = await deps.releases.list(service);
    for (const id of removable(stored, needed, keep)) {
      if (!dryRun) await deps.releases.remove(id);
      removed.push({ id, bytes: stored.find((release) => release.id === id)?.bytes ?? 0 });
    }
  }
  return removed;
}

/** After a deployment, quietly: keeps the store of releases within its retention. */
export async function pruneAfter(deps: Dependencies, scope: Scope): Promise<void> {
  const states = await deps.store.scopes();
  const wanted = states.filter(({ situation }) => sameScope(situation.scope, scope));
  const removed = await pruneReleases(deps, states, wanted, { dryRun: false, gone: new Set() });
  if (removed.length > 0)
    deps.log.write('info', 'old releases were removed', {
      scope: scopeName(scope),
      releases: removed.map(({ id }) => id),
    });
}
