// The rules that every store driver keeps in the same words: how a lease passes on, and what a change must look like.

import { assert } from '../base/assert.ts';
import { failureCatalogue } from '../base/failure-catalogue.ts';
import { Failure } from '../base/failure.ts';
import { type Scope, sameScope, scopeName } from '../core/scope.ts';
import type { Change, Holder, Lease, LeaseAnswer, LeaseRequest } from './store.ts';

/** A lease as a driver keeps it: with the length it was granted for. */
export interface HeldLease extends Lease {
  readonly forMs: number;
}

/** What a driver keeps per scope: the highest fence ever given, also when nobody holds the lease. */
export interface LeaseSlot {
  readonly fence: number;
  readonly held?: HeldLease | undefined;
}

interface LeaseStep {
  /** What is kept from now on; the same object where nothing changed. */
  readonly slot: LeaseSlot;
  readonly answer: LeaseAnswer;
}

/**
 * One step on a lease. `now` is the machine's clock and may jump:
 * - A renewal counts from the `now` that it brings, also when that is earlier than the one before, and is granted as long as
 *   nobody else took the lease, ended or not. So no jump takes the lease from a holder that lives and renews, unless the clock
 *   jumped forward and another controller came first; then its fence is old and its commits are refused.
 * - A lease never ends later than its own length after the first look at it: whoever finds one that would (the clock went back)
 *   cuts it to `now + forMs`. So a dead holder's lease ends after one length on the new clock, and a living holder renews before.
 */
export function leaseStep(slot: LeaseSlot, request: LeaseRequest): LeaseStep {
  switch (request.kind) {
    case 'acquire':
      return acquire(slot, request);
    case 'renew':
      return slot.held?.fence === request.fence
        ? grant(slot, { ...slot.held, until: request.now + request.forMs, forMs: request.forMs })
        : refuse(slot);
    case 'release':
      return slot.held?.fence === request.fence
        ? { slot: { fence: slot.fence }, answer: { granted: true } }
        : refuse(slot);
  }
}

function acquire(slot: LeaseSlot, request: Extract<LeaseRequest, { kind: 'acquire' }>): LeaseStep {
  const { held } = slot;
  const { scope, holder, now, forMs } = request;
  const until = now + forMs;
  if (held !== undefined && sameHolder(held.holder, holder)) return grant(slot, { ...held, until, forMs });
  if (held === undefined || now >= held.until || request.deadFence === held.fence) {
    const fence = slot.fence + 1;
    return grant(slot, { scope, fence, holder, since: now, until, forMs });
  }
  const latest = now + held.forMs;
  return refuse(held.until > latest ? { ...slot, held: { ...held, until: latest } } : slot);
}

function grant(slot: LeaseSlot, held: HeldLease): LeaseStep {
  return { slot: { fence: Math.max(slot.fence, held.fence), held }, answer: { granted: true, lease: leaseOf(held) } };
}

function refuse(slot: LeaseSlot): LeaseStep {
  return { slot, answer: { granted: false, ...(slot.held === undefined ? {} : { lease: leaseOf(slot.held) }) } };
}

/** The lease as callers see it. */
export function leaseOf(held: HeldLease): Lease {
  const { forMs: _, ...lease } = held;
  return lease;
}

function sameHolder(a: Holder, b: Holder): boolean {
  return a.controller === b.controller && a.host === b.host && a.pid === b.pid && a.started === b.started;
}

/** Refuses a change whose parts do not belong together: that is a defect of the caller. */
export function assertWhole(change: Change): void {
  const { scope, rollout, record, situation } = change;
  const name = scopeName(scope);
  assert(
    (rollout === undefined) === (change.expectedVersion === undefined),
    `${name}: rollout without version, or reverse`,
  );
  if (rollout !== undefined) assert(sameScope(rollout.plan.scope, scope), `${name}: rollout of another scope`);
  if (situation !== undefined) assert(sameScope(situation.scope, scope), `${name}: situation of another scope`);
  if (record === undefined) return;
  assert(sameScope(record.scope, scope), `${name}: record of another scope`);
  if (rollout !== undefined) {
    assert(record.deployment === rollout.id, `${name}: record of ${record.deployment} with rollout ${rollout.id}`);
    assert(record.version === rollout.version, `${name}: record of version ${record.version} with ${rollout.version}`);
  }
}

/** The lease is not held with this fence. */
export function leaseLost(scope: Scope, fence: number, held: Lease | undefined): Failure {
  const now =
    held === undefined
      ? 'nobody holds it now'
      : `${held.holder.controller} (pid ${held.holder.pid} on ${held.holder.host}) holds it with fence ${held.fence}`;
  return new Failure('lease.lost', `The lock of ${scopeName(scope)} with fence ${fence} is lost: ${now}.`, {
    at: scopeName(scope),
    remedy: failureCatalogue['lease.lost'].remedy,
    details: { fence, holder: held?.holder, heldFence: held?.fence },
  });
}

/** The stored rollout has another version than the writer knew. */
export function versionConflict(deployment: string, expected: number, stored: number): Failure {
  const message = `Deployment ${deployment} has version ${stored}, not ${expected}: another writer changed it first.`;
  return new Failure('store.conflict', message, {
    at: deployment,
    remedy: failureCatalogue['store.conflict'].remedy,
    details: { expected, stored },
  });
}

/** A second deployment would be under way in one scope. */
export function secondActive(scope: Scope, deployment: string, active: string): Failure {
  const message = `Deployment ${active} is under way in ${scopeName(scope)}: ${deployment} cannot be added.`;
  return new Failure('store.conflict', message, {
    at: scopeName(scope),
    remedy: failureCatalogue['store.conflict'].remedy,
    details: { active },
  });
}
