// Carries out one effect against the drivers and says what it brought back.

import { unreachable } from '../base/assert.ts';
import type { Plan } from '../core/plan/plan.ts';
import type { Role } from '../core/plan/step.ts';
import type { EffectAction, EffectResult } from '../core/rollout/effect.ts';
import type { Release } from '../core/release.ts';
import type { Routes } from '../core/routes.ts';
import { ensureHealthy } from './ensure-healthy.ts';
import { isStale, tried, type Performance } from './performance.ts';
import { validateRelease } from './validate-release.ts';

/** Rejects when it cannot be done within its time; idempotent, so it may be called again after a crash. */
export async function perform(work: Performance): Promise<EffectResult> {
  const { action } = work.effect;
  switch (action.kind) {
    case 'stage':
      await tried(work, work.deps.timing.effectMs, () =>
        work.deps.releases.stage(work.plan.candidate, work.plan.spec.source, work.signal),
      );
      return { kind: 'nothing' };
    case 'ensure':
      return { kind: 'endpoints', endpoints: await ensureHealthy(work, releaseOfRole(work.plan, action.role), action) };
    case 'validate':
      return { kind: 'checks', outcomes: await validateRelease(work, releaseOfRole(work.plan, action.role), action) };
    case 'apply':
      await applyRoutes(work, action.routes, action.forever);
      return { kind: 'nothing' };
    case 'drain':
      return drain(work, action);
    case 'stop':
      await tried(work, action.graceMs + work.deps.timing.effectMs, () => stop(work, action));
      return { kind: 'nothing' };
    default:
      return unreachable(action, 'effect');
  }
}

async function stop(work: Performance, action: Extract<EffectAction, { kind: 'stop' }>): Promise<void> {
  const { platform } = work.drivers;
  const { scope } = work.plan;
  const { release, graceMs, except } = action;
  const instances =
    except === undefined
      ? action.instances
      : (await platform.list(scope))
          .filter((instance) => instance.release === release && !except.includes(instance.id))
          .map((instance) => instance.id);
  await platform.stop({ scope, release, graceMs, ...(instances === undefined ? {} : { instances }) });
}

async function drain(work: Performance, action: Extract<EffectAction, { kind: 'drain' }>): Promise<EffectResult> {
  const { router } = work.drivers;
  const cut = await tried(work, action.withinMs + work.deps.timing.effectMs, () =>
    router.drain(work.plan.scope, action.instances, action.withinMs, work.signal),
  );
  return { kind: 'drained', cut };
}

/** The release that a role stands for; a plan without stable never has a step for it. */
export function releaseOfRole(plan: Plan, role: Role): Release {
  const release = role === 'candidate' ? plan.candidate : plan.stable;
  if (release === undefined)
    throw new Error(`invariant broken: the plan of ${plan.candidate.id} has no ${role} release`);
  return release;
}

async function applyRoutes(work: Performance, routes: Routes, forever: boolean): Promise<void> {
  const { router } = work.drivers;
  try {
    await tried(work, forever ? undefined : work.deps.timing.effectMs, () => router.apply(routes, work.signal));
  } catch (error) {
    if (!isStale(error)) throw error;
    // Newer routes of this same deployment overtook these; whether it is still ours to write was checked by the lease.
    const inForce = await router.read(work.plan.scope);
    if (inForce === undefined || inForce.revision <= routes.revision) throw error;
  }
}
