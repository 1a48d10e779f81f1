// The state of a deployment before its first event.

import type { Plan } from '../plan/plan.ts';
import { allTraffic, type Endpoint } from '../routes.ts';
import type { Rollout } from './rollout.ts';

export interface Beginning {
  readonly id: string;
  readonly plan: Plan;
  readonly at: number;
  readonly actor: string;
  /** Revision of the scope's newest routes. */
  readonly revision: number;
  /** Instances of stable that have the traffic. */
  readonly stable: readonly Endpoint[];
  /** Instances of the candidate that run already: a warm release, or the same release. */
  readonly candidate: readonly Endpoint[];
}

export function beginRollout(beginning: Beginning): Rollout {
  const { plan, at } = beginning;
  return {
    id: beginning.id,
    plan,
    version: 0,
    status: 'INIT',
    course: 'forward',
    step: 0,
    stepDone: false,
    queue: [],
    effects: 0,
    share: plan.strategy === 'same' ? allTraffic : 0,
    preview: false,
    promoted: false,
    revision: beginning.revision,
    fleet: {
      candidate: { serving: beginning.candidate, leaving: [] },
      stable: { serving: plan.stable === undefined ? [] : beginning.stable, leaving: [] },
    },
    judgements: [],
    createdAt: at,
    createdBy: beginning.actor,
    at,
    deadlineAt: at + plan.longestMs,
  };
}
