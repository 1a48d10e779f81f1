// Takes a service away: traffic first, then its instances, then the router's part; in steps that another controller can go on with.

import { Failure, failureData } from '../base/failure.ts';
import type { RecordDraft } from '../core/rollout/record.ts';
import { type Situation, takenAway } from '../core/rollout/situation.ts';
import { type Scope, scopeName, unknownService } from '../core/scope.ts';
import type { ScopeState } from '../ports/store.ts';
import type { RemoveAnswer, RemoveRequest } from './controller.ts';
import type { Dependencies } from './dependencies.ts';
import { leaseLost } from './failures.ts';
import type { LeaseKeeper } from './lease-keeper.ts';
import { specOf } from './orphans.ts';
import { mayPass, retry } from './retry.ts';

/** The part of a lease that is needed. */
type Held = Pick<LeaseKeeper, 'fence' | 'lost' | 'holds'>;

/** Rejects with `service.unknown`; also with whatever keeps it from being finished, and then it may be asked again. */
export async function remove(
  deps: Dependencies,
  state: ScopeState,
  request: RemoveRequest,
  lease: Held,
): Promise<RemoveAnswer> {
  let { situation } = state;
  const { scope } = request;
  // Who asks once more for what is done already changes nothing of who did it.
  if (situation.removal?.finished !== true) {
    const ordered = await order(deps, state, request);
    await deps.store.commit({ scope, fence: lease.fence, effects: [], settled: [], ...ordered });
    ({ situation } = ordered);
  }
  try {
    return await finishRemoval(deps, situation, lease, lease.lost);
  } catch (error) {
    throw lease.lost.aborted ? leaseLost(scopeName(scope)) : error;
  }
}

/** Committed before anything is done, so that whoever comes next knows that nothing here is to be served. */
async function order(
  deps: Dependencies,
  state: ScopeState,
  { scope, actor, reason }: RemoveRequest,
): Promise<{ readonly situation: Situation; readonly record: RecordDraft }> {
  const [newest] = await deps.store.rollouts({ scope, limit: 1 });
  const spec = await specOf(deps, state);
  if (newest === undefined || spec === undefined) throw unknownService(scope);
  const at = Math.max(deps.clock.now(), newest.at);
  const { id: deployment, version, status } = newest;
  return {
    situation: takenAway(state.situation, { at, actor, reason, spec, finished: false }),
    record: {
      at,
      scope,
      deployment,
      version,
      from: status,
      to: status,
      actor,
      event: { kind: 'removed', at, actor, reason },
      words: `${actor} took the service away: ${reason}`,
    },
  };
}

/** Does what is left to do of it. Every step may be done again. */
export async function finishRemoval(
  deps: Dependencies,
  situation: Situation,
  lease: Held,
  signal: AbortSignal,
): Promise<RemoveAnswer> {
  const { scope, removal } = situation;
  if (removal === undefined) throw new Error(`invariant broken: nobody ordered the removal of ${scopeName(scope)}`);
  const { spec, actor } = removal;
  const { platform, router } = deps.drivers(spec);
  /** A controller that was frozen meanwhile has nothing more to say here: somebody may have deployed. */
  const goOn = (): void => {
    signal.throwIfAborted();
    if (!lease.holds()) throw leaseLost(scopeName(scope));
  };
  await asFarAsPossible(deps, scope, signal, async () => {
    const inForce = await router.read(scope);
    goOn();
    if (inForce !== undefined && inForce.groups.length > 0)
      await router.apply({ scope, revision: situation.revision, groups: [], rules: [] }, signal);
  });
  const instances = await platform.list(scope);
  const ids = instances.map(({ id }) => id);
  const releases = [...new Set(instances.map(({ release }) => release))];
  goOn();
  await asFarAsPossible(deps, scope, signal, async () => {
    if (ids.length > 0) await router.drain(scope, ids, spec.drainMs, signal);
  });
  goOn();
  const { stopGraceMs: graceMs } = spec;
  await Promise.all(releases.map((release) => platform.stop({ scope, release, instances: ids, graceMs })));
  goOn();
  await router.remove(scope, signal);
  goOn();
  await platform.forget(scope);
  const finished: Situation = { ...situation, removal: { ...removal, finished: true } };
  await deps.store.commit({ scope, fence: lease.fence, effects: [], settled: [], situation: finished });
  deps.log.write('info', 'a service was taken away', { scope: scopeName(scope), actor, instances: ids });
  return { instances: ids, releases };
}

/**
 * Traffic first, so a router that fails is asked again for a while. One that does not answer then keeps nobody from stopping what was
 * given up; whether it is rid of the service is asked at the end.
 */
async function asFarAsPossible(
  deps: Dependencies,
  scope: Scope,
  signal: AbortSignal,
  endTraffic: () => Promise<void>,
): Promise<void> {
  const { clock, timing } = deps;
  const tell = (level: 'warn' | 'error', what: string, error: unknown, attempt?: number): void =>
    deps.log.write(level, `the traffic of a service that is taken away ${what}`, {
      scope: scopeName(scope),
      error: failureData(error),
      ...(attempt === undefined ? {} : { attempt }),
    });
  try {
    await retry(endTraffic, {
      clock,
      firstMs: timing.retryFirstMs,
      longestMs: timing.retryLongestMs,
      until: clock.now() + timing.effectMs,
      signal,
      may: (error) => isOfRouter(error) && mayPass(error),
      onRetry: (error, attempt) => tell('warn', 'could not be ended yet; trying again', error, attempt),
    });
  } catch (error) {
    if (!isOfRouter(error)) throw error;
    tell('error', 'could not be ended first', error);
  }
}

/** What aborts it is no failure of the router. */
function isOfRouter(error: unknown): error is Failure {
  return error instanceof Failure && error.code !== 'lease.lost';
}
