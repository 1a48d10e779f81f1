// The store in memory: for tests and the simulation, where the object outlives the controller that crashes on it.

import { assert } from '../../../base/assert.ts';
import type { Trial } from '../../../core/gate/trial.ts';
import type { Effect } from '../../../core/rollout/effect.ts';
import type { EventRecord } from '../../../core/rollout/record.ts';
import type { Rollout } from '../../../core/rollout/rollout.ts';
import { type Situation, emptySituation } from '../../../core/rollout/situation.ts';
import { isFinal } from '../../../core/rollout/status.ts';
import { type Scope, sameScope, scopeName } from '../../../core/scope.ts';
import {
  type LeaseSlot,
  assertWhole,
  leaseLost,
  leaseOf,
  leaseStep,
  secondActive,
  versionConflict,
} from '../../../ports/store-rules.ts';
import type {
  Change,
  LeaseAnswer,
  LeaseRequest,
  RecordQuery,
  RolloutQuery,
  ScopeState,
  Store,
} from '../../../ports/store.ts';
import { frozenCopy } from './frozen-copy.ts';

/** A call that writes. */
export type StoreCall =
  | { readonly kind: 'commit'; readonly change: Change }
  | { readonly kind: 'lease'; readonly request: LeaseRequest };

/**
 * Faults put in by a simulation. What `before` throws reaches the caller with nothing written; what `after` throws reaches it
 * although all is written, as when the answer is lost or the controller crashes behind its commit. A promise that never
 * resolves is a controller that is gone. The hooks are looked up at each call, so they may be changed at any time.
 */
export interface StoreFaults {
  before?: ((call: StoreCall) => void | Promise<void>) | undefined;
  after?: ((call: StoreCall) => void | Promise<void>) | undefined;
}

interface OutboxEntry {
  readonly scope: Scope;
  readonly effect: Effect;
}

/** An empty store in memory. What it returns is frozen and shares nothing with what it was given. */
export function createMemoryStore(faults: StoreFaults = {}): Store {
  const memory = new Memory();
  const faulty = async <T>(call: StoreCall, work: () => T): Promise<T> => {
    await faults.before?.(call);
    const answer = work();
    await faults.after?.(call);
    return answer;
  };
  return {
    commit: (change) => faulty({ kind: 'commit', change }, () => memory.commit(frozenCopy(change))),
    lease: (request) => faulty({ kind: 'lease', request }, () => memory.lease(frozenCopy(request))),
    scopes: async (scope) => memory.scopes(scope),
    rollouts: async (query) => memory.rollouts(query),
    records: async (query) => memory.records(query),
  };
}

/** The tables; every value in them is frozen. */
class Memory {
  readonly #situations = new Map<string, Situation>();
  /** In the order in which they were added. */
  readonly #rollouts = new Map<string, Rollout>();
  readonly #active = new Map<string, string>();
  readonly #records: EventRecord[] = [];
  /** By effect id, oldest first. */
  readonly #outbox = new Map<string, OutboxEntry>();
  readonly #trials = new Map<string, Trial>();
  readonly #slots = new Map<string, LeaseSlot>();

  commit(change: Change): EventRecord | undefined {
    assertWhole(change);
    this.#check(change);
    const { scope, rollout, record } = change;
    const name = scopeName(scope);
    if (rollout !== undefined) {
      this.#rollouts.set(rollout.id, rollout);
      if (!isFinal(rollout.status)) this.#active.set(name, rollout.id);
      else if (this.#active.get(name) === rollout.id) this.#active.delete(name);
    }
    this.#situations.set(name, change.situation ?? this.#situations.get(name) ?? frozenCopy(emptySituation(scope)));
    for (const id of change.settled) {
      const entry = this.#outbox.get(id);
      if (entry !== undefined && sameScope(entry.scope, scope)) this.#outbox.delete(id);
    }
    for (const effect of change.effects) this.#outbox.set(effect.id, { scope, effect });
    if (change.trial !== undefined) this.#trials.set(name, change.trial);
    if (record === undefined) return undefined;
    const kept: EventRecord = Object.freeze({ ...record, sequence: this.#records.length + 1 });
    this.#records.push(kept);
    return kept;
  }

  /** Throws before anything is changed. */
  #check(change: Change): void {
    const { scope, rollout, record, expectedVersion } = change;
    const held = this.#slots.get(scopeName(scope))?.held;
    if (held?.fence !== change.fence) throw leaseLost(scope, change.fence, held);
    if (rollout !== undefined && expectedVersion !== undefined) this.#checkRollout(rollout, expectedVersion);
    if (record !== undefined) {
      const known = this.#rollouts.has(record.deployment) || record.deployment === rollout?.id;
      assert(known, `record of the unknown deployment ${record.deployment}`);
    }
    for (const { id } of change.effects) {
      assert(!this.#outbox.has(id) || change.settled.includes(id), `effect ${id} is in the outbox already`);
    }
  }

  #checkRollout(rollout: Rollout, expectedVersion: number): void {
    const stored = this.#rollouts.get(rollout.id);
    const version = stored?.version ?? 0;
    const grows = stored === undefined || rollout.version > version;
    if (version !== expectedVersion || !grows) throw versionConflict(rollout.id, expectedVersion, version);
    const { scope } = rollout.plan;
    const active = this.#active.get(scopeName(scope)) ?? rollout.id;
    if (!isFinal(rollout.status) && active !== rollout.id) throw secondActive(scope, rollout.id, active);
  }

  scopes(scope?: Scope): readonly ScopeState[] {
    if (scope !== undefined) return [this.#state(scope)];
    const known = new Map<string, Scope>();
    for (const [name, situation] of this.#situations) known.set(name, situation.scope);
    for (const [name, slot] of this.#slots) if (slot.held !== undefined) known.set(name, slot.held.scope);
    return [...known.values()].sort(byName).map((each) => this.#state(each));
  }

  #state(scope: Scope): ScopeState {
    const name = scopeName(scope);
    const active = this.#rollouts.get(this.#active.get(name) ?? '');
    const held = this.#slots.get(name)?.held;
    const trial = this.#trials.get(name);
    const entries = [...this.#outbox.values()].filter((entry) => sameScope(entry.scope, scope));
    return {
      situation: this.#situations.get(name) ?? frozenCopy(emptySituation(scope)),
      ...(active === undefined ? {} : { active }),
      outbox: entries.map((entry) => entry.effect),
      ...(held === undefined ? {} : { lease: leaseOf(held) }),
      ...(trial === undefined ? {} : { trial }),
    };
  }

  rollouts(query: RolloutQuery): readonly Rollout[] {
    return [...this.#rollouts.values()]
      .reverse()
      .filter((rollout) => query.id === undefined || rollout.id === query.id)
      .filter((rollout) => query.scope === undefined || sameScope(rollout.plan.scope, query.scope))
      .slice(0, query.limit);
  }

  records(query: RecordQuery): readonly EventRecord[] {
    const after = this.#records.slice(Math.max(0, query.after ?? 0));
    return (query.order === undefined ? after : after.reverse())
      .filter((record) => query.deployment === undefined || record.deployment === query.deployment)
      .filter((record) => query.scope === undefined || sameScope(record.scope, query.scope))
      .slice(0, query.limit);
  }

  lease(request: LeaseRequest): LeaseAnswer {
    const name = scopeName(request.scope);
    const { slot, answer } = leaseStep(this.#slots.get(name) ?? { fence: 0 }, request);
    this.#slots.set(name, slot);
    return answer;
  }
}

function byName(a: Scope, b: Scope): number {
  if (a.service !== b.service) return a.service < b.service ? -1 : 1;
  if (a.environment === b.environment) return 0;
  return a.environment < b.environment ? -1 : 1;
}
