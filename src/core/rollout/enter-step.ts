// Entering a step: what it changes in the state, and the actions it needs.

import type { Endpoint } from '../routes.ts';
import type { HoldStep, Role, Step } from '../plan/step.ts';
import type { EffectAction } from './effect.ts';
import { type Fleet, hasSwitchedBack, type Rollout } from './rollout.ts';
import type { Status } from './status.ts';
import { routesOf } from './routes-of.ts';

/** The state inside the step, and its actions in order; a step without actions and without `until` is complete at once. */
export interface Entered {
  readonly rollout: Rollout;
  readonly actions: readonly EffectAction[];
}

export function enterStep(rollout: Rollout, step: Step): Entered {
  switch (step.kind) {
    case 'stage':
      return { rollout, actions: [{ kind: 'stage' }] };
    case 'start':
      return enterStart(rollout, step);
    case 'validate':
      return { rollout, actions: [{ kind: 'validate', role: step.role, through: step.through }] };
    case 'preview':
      return withRoutes({ ...rollout, preview: true });
    case 'wait':
      return { rollout: { ...rollout, until: rollout.at + step.forMs }, actions: [] };
    case 'shift':
      return enterShift(rollout, step.share);
    case 'drain':
      return enterDrain(rollout, step.role, step.keep, step.withinMs);
    case 'stop':
      return enterStop(rollout, step.role, step.keep, step.graceMs);
    case 'hold':
      return { rollout: enterHold(rollout, step), actions: [] };
    case 'promote':
      return withRoutes({ ...rollout, promoted: true, preview: false });
  }
}

/** Adds an action that puts the state's routes in force, with a revision of their own. */
export function withRoutes(rollout: Rollout): Entered {
  const routes = routesOf(rollout);
  const forever = (rollout.course === 'back' && rollout.plan.stable !== undefined) || hasSwitchedBack(rollout);
  return {
    rollout: { ...rollout, revision: routes.revision },
    actions: [{ kind: 'apply', routes, forever }],
  };
}

/** On the way back stable is started only where some of it is missing; otherwise it has its traffic already. */
function enterStart(rollout: Rollout, step: Extract<Step, { kind: 'start' }>): Entered {
  const whole = rollout.share === 0 && rollout.fleet.stable.serving.length >= step.instances;
  if (rollout.course === 'back' && step.role === 'stable' && whole) return { rollout, actions: [] };
  return {
    rollout,
    actions: [{ kind: 'ensure', role: step.role, instances: step.instances, timeoutMs: step.timeoutMs }],
  };
}

function enterShift(rollout: Rollout, share: number): Entered {
  // Stable may have too few instances left to carry the traffic; then it gets it when they have been started.
  if (rollout.course === 'back' && share === 0 && !stableCanServe(rollout)) return { rollout, actions: [] };
  return withRoutes({ ...rollout, share });
}

/** Whether stable has at least as many instances in traffic as must always serve; without a stable release nothing is served anyway. */
export function stableCanServe(rollout: Rollout): boolean {
  if (rollout.plan.stable === undefined) return true;
  const needed = Math.max(1, Math.min(rollout.plan.spec.minAvailable, rollout.plan.stableInstances));
  return rollout.fleet.stable.serving.length >= needed;
}

function enterDrain(rollout: Rollout, role: Role, keep: number, withinMs: number): Entered {
  const fleet = rollout.fleet[role];
  const gone = fleet.serving.slice(keep);
  const next: Fleet = { serving: fleet.serving.slice(0, keep), leaving: [...fleet.leaving, ...gone] };
  if (next.leaving.length === 0) return { rollout, actions: [] };
  const { rollout: routed, actions } = withRoutes(
    withFleet({ ...rollout, preview: previewAfter(rollout, role, keep) }, role, next),
  );
  return { rollout: routed, actions: [...actions, { kind: 'drain', instances: ids(next.leaving), withinMs }] };
}

/** The preview address shows nothing once the candidate is taken away. */
function previewAfter(rollout: Rollout, role: Role, keep: number): boolean {
  return rollout.preview && !(role === 'candidate' && keep === 0);
}

function enterStop(rollout: Rollout, role: Role, keep: number, graceMs: number): Entered {
  const release = role === 'candidate' ? rollout.plan.candidate : rollout.plan.stable;
  const { leaving, serving } = rollout.fleet[role];
  if (release === undefined) return { rollout, actions: [] };
  // With nothing to keep, everything of the release goes, instances included whose start was never reported.
  if (keep === 0 && serving.length === 0) {
    const emptied = withFleet(rollout, role, { serving: [], leaving: [] });
    return { rollout: emptied, actions: [{ kind: 'stop', release: release.id, graceMs }] };
  }
  // The same holds for what was started beyond what is kept.
  if (rollout.course === 'back') {
    const kept = withFleet(rollout, role, { serving, leaving: [] });
    return { rollout: kept, actions: [{ kind: 'stop', release: release.id, except: ids(serving), graceMs }] };
  }
  if (leaving.length === 0) return { rollout, actions: [] };
  return {
    rollout: withFleet(rollout, role, { serving, leaving: [] }),
    actions: [{ kind: 'stop', release: release.id, instances: ids(leaving), graceMs }],
  };
}

function enterHold(rollout: Rollout, step: HoldStep): Rollout {
  return {
    ...rollout,
    until: rollout.at + step.maxMs,
    hold: {
      id: `${rollout.id}/${rollout.step}`,
      enteredAt: rollout.at,
      minimumsReached: false,
    },
  };
}

/** The state in which a hold begins: one that only waits for a person's word starts by asking. */
export function holdStatus(planned: Status, step: HoldStep): Status {
  const onlyAsks =
    step.promotion === 'manual' && step.checks.length === 0 && step.maxMs === 0 && step.confidence === undefined;
  return onlyAsks ? 'AWAITING_APPROVAL' : planned;
}

export function withFleet(rollout: Rollout, role: Role, fleet: Fleet): Rollout {
  return { ...rollout, fleet: { ...rollout.fleet, [role]: fleet } };
}

function ids(endpoints: readonly Endpoint[]): readonly string[] {
  return endpoints.map((endpoint) => endpoint.instance);
}
