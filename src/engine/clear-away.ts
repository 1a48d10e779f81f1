// Ends instances that nothing refers to any more, after their last request.

import { scopeName } from '../core/scope.ts';
import type { Instance } from '../core/instance.ts';
import type { ScopeState } from '../ports/store.ts';
import type { Dependencies } from './dependencies.ts';
import { specOf } from './orphans.ts';

/** On what grounds it may be done. */
interface Ground {
  /** Aborts when somebody wants the scope. */
  readonly signal: AbortSignal;
  /** Whether nobody else may have the scope by now. */
  readonly isOurs: () => boolean;
}

/**
 * Somebody who wants the scope meanwhile waits neither for requests in flight, which the next round looks after, nor for what has
 * been told to end: that ends without anybody watching, and a rollback must not stand behind an old instance that takes its time.
 */
export async function clearAway(
  deps: Dependencies,
  state: ScopeState,
  instances: readonly Instance[],
  { signal, isOurs }: Ground,
): Promise<void> {
  const { scope } = state.situation;
  const spec = await specOf(deps, state);
  if (spec === undefined || instances.length === 0 || signal.aborted) return;
  const { router, platform } = deps.drivers(spec);
  // Whatever the store says of them: where requests are sent, nothing is stopped.
  const groups = (await router.read(scope))?.groups ?? [];
  const needed = new Set(groups.filter(({ share }) => share > 0).map(({ release }) => release));
  const idle = instances.filter(({ release }) => !needed.has(release));
  const ids = idle.map((instance) => instance.id);
  if (ids.length === 0) return;
  if (await givesWay(signal, router.drain(scope, ids, spec.drainMs, signal))) return;
  for (const release of new Set(idle.map((instance) => instance.release))) {
    // A controller that was frozen in the meantime would stop what another one has deployed.
    if (!isOurs()) return;
    const stopped = platform.stop({ scope, release, instances: ids, graceMs: spec.stopGraceMs });
    if (await givesWay(signal, stopped)) return;
  }
  deps.log.write('info', 'instances that nothing refers to were stopped', { scope: scopeName(scope), instances: ids });
}

/** Waits for the work or for the signal, whichever comes first; whether it was the signal. Rejects as the work does. */
export async function givesWay(signal: AbortSignal, work: Promise<unknown>): Promise<boolean> {
  const called = Promise.withResolvers<void>();
  const call = (): void => called.resolve();
  signal.addEventListener('abort', call, { once: true });
  if (signal.aborted) call();
  try {
    await Promise.race([work, called.promise]);
  } catch (error) {
    // The signal may also be what made the work fail.
    if (!signal.aborted) throw error;
  } finally {
    signal.removeEventListener('abort', call);
  }
  return signal.aborted;
}
