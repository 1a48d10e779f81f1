// Drives one rollout through its events without an engine: what the driver of a test tells it, it takes, and the change is checked.

import type { Judgement, Outcome } from '../../src/core/gate/verdict.ts';
import type { Plan } from '../../src/core/plan/plan.ts';
import { beginRollout } from '../../src/core/rollout/begin.ts';
import type { Effect, EffectAction, EffectResult } from '../../src/core/rollout/effect.ts';
import type { RolloutEvent } from '../../src/core/rollout/event.ts';
import { assertSoundChange } from '../../src/core/rollout/invariant.ts';
import type { Rollout } from '../../src/core/rollout/rollout.ts';
import { isFinal } from '../../src/core/rollout/status.ts';
import { transition } from '../../src/core/rollout/transition.ts';
import { wakeAt } from '../../src/core/rollout/wake.ts';
import type { Endpoint } from '../../src/core/routes.ts';

/** An event without time and actor, which the walk adds. */
export type Telling = RolloutEvent extends infer E ? (E extends RolloutEvent ? Omit<E, 'at' | 'actor'> : never) : never;

export const failure = {
  code: 'router.unreachable',
  message: 'the router does not answer',
  remedy: 'Start it.',
} as const;

export function endpoints(release: string, count: number): readonly Endpoint[] {
  return Array.from({ length: count }, (_, index) => ({
    instance: `${release}-${index + 1}`,
    address: { host: '127.0.0.1', port: 20_000 + index },
  }));
}

export function judgement(outcome: Outcome, reason = `the gates say ${outcome}`): Judgement {
  return {
    outcome,
    verdicts: [{ check: 'error rate', outcome, reason, samples: 10 }],
    candidate: { release: 'shop@new', requests: 10, errors: 0, unanswered: 0 },
    lost: 0,
  };
}

export class Walk {
  readonly begun: Rollout;
  rollout: Rollout;
  readonly events: RolloutEvent[] = [];
  /** Everything that was ever issued, by effect id. */
  readonly effects = new Map<string, EffectAction>();
  /** The effects of the newest event. */
  issued: readonly Effect[] = [];
  at = 1_000;

  constructor(plan: Plan) {
    const { stable, stableInstances, strategy } = plan;
    this.begun = beginRollout({
      id: 'd-1',
      plan,
      at: this.at,
      actor: 'ann@desk',
      revision: stable === undefined ? 0 : 7,
      stable: stable === undefined ? [] : endpoints('old', stableInstances),
      candidate: strategy === 'same' ? endpoints('old', stableInstances) : [],
    });
    this.rollout = this.begun;
  }

  /** Takes one event, and checks the change as the engine does before it commits. */
  take(telling: Telling, actor = 'sluice'): this {
    const before = this.rollout;
    const event = { ...telling, at: this.at, actor } as RolloutEvent;
    const [after, effects] = transition(before, event);
    if (isFinal(before.status)) return this;
    assertSoundChange(before, event, after);
    for (const effect of effects) {
      if (this.effects.has(effect.id)) throw new Error(`the effect id ${effect.id} was used before`);
      this.effects.set(effect.id, effect.action);
    }
    this.events.push(event);
    this.rollout = after;
    this.issued = effects;
    return this;
  }

  /** Another walk that begins where this one is. */
  branch(): Walk {
    const walk = new Walk(this.begun.plan);
    walk.rollout = this.rollout;
    walk.at = this.at;
    const { awaiting } = this.rollout;
    if (awaiting !== undefined && this.awaited !== undefined) walk.effects.set(awaiting, this.awaited);
    return walk;
  }

  start(): this {
    return this.take({ kind: 'started' }, 'ann@desk');
  }

  /** The action whose outcome is awaited. */
  get awaited(): EffectAction | undefined {
    return this.effects.get(this.rollout.awaiting ?? '');
  }

  /** What is awaited has worked. */
  done(): this {
    const { awaiting } = this.rollout;
    if (awaiting === undefined || this.awaited === undefined) throw new Error(`nothing is awaited: ${this.words}`);
    return this.take({ kind: 'effect-done', effect: awaiting, result: resultOf(this.awaited) });
  }

  failed(): this {
    return this.take({ kind: 'effect-failed', effect: this.rollout.awaiting ?? 'none', failure });
  }

  judged(outcome: Outcome, minimumsReached: boolean): this {
    return this.take({
      kind: 'judged',
      hold: this.rollout.hold?.id ?? 'none',
      judgement: judgement(outcome),
      minimumsReached,
    });
  }

  /** The time that it waits for comes. */
  timeComes(): this {
    this.at = Math.max(this.at, wakeAt(this.rollout) ?? this.at);
    return this.take({ kind: 'time-came' });
  }

  /** Everything works until the state is reached. */
  until(status: Rollout['status']): this {
    for (let steps = 0; this.rollout.status !== status; steps += 1) {
      if (steps > 200 || isFinal(this.rollout.status)) throw new Error(`${status} is not reached: ${this.words}`);
      this.goWell();
    }
    return this;
  }

  /** Until what is awaited is of this kind. */
  untilAwaiting(kind: EffectAction['kind']): this {
    for (let steps = 0; this.awaited?.kind !== kind; steps += 1) {
      if (steps > 200 || isFinal(this.rollout.status)) throw new Error(`${kind} is not awaited: ${this.words}`);
      this.goWell();
    }
    return this;
  }

  /** The next thing that happens when nothing goes wrong and a person says yes to everything. */
  goWell(): this {
    const { status, awaiting, hold } = this.rollout;
    if (status === 'INIT') return this.start();
    if (status === 'PAUSED') return this.take({ kind: 'resume' }, 'ann@desk');
    if (status === 'AWAITING_APPROVAL') return this.take({ kind: 'promote', full: false }, 'ann@desk');
    if (awaiting !== undefined) return this.done();
    if (hold !== undefined && hold.judgement?.outcome !== 'pass') return this.judged('pass', true);
    if (hold !== undefined && status === 'CANARY_EVALUATING') return this.judged('pass', true);
    return this.timeComes();
  }

  get words(): string {
    const { status, course, step, share } = this.rollout;
    return `${status} ${course} step ${step} share ${share}`;
  }
}

export function resultOf(action: EffectAction): EffectResult {
  if (action.kind === 'ensure') {
    return { kind: 'endpoints', endpoints: endpoints(action.role === 'candidate' ? 'new' : 'old', action.instances) };
  }
  if (action.kind === 'validate') return { kind: 'checks', outcomes: [] };
  return action.kind === 'drain' ? { kind: 'drained', cut: 0 } : { kind: 'nothing' };
}
