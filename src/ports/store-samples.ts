// Small values with which the store's contract and its drivers’ tests fill a store.

import assert from 'node:assert/strict';
import type { FailureCode } from '../base/failure-catalogue.ts';
import { Failure } from '../base/failure.ts';
import type { RecordDraft } from '../core/rollout/record.ts';
import type { Effect } from '../core/rollout/effect.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import { type Situation, emptySituation } from '../core/rollout/situation.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import type { Release } from '../core/release.ts';
import type { Scope } from '../core/scope.ts';
import type { Change, Holder, Store } from './store.ts';

/** An empty store under test. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Another way to the same data, as a second process or a restart would have. */
  readonly reopen: () => Promise<Store>;
  /** Ends all that was opened. */
  readonly end: () => Promise<void>;
}

export const shop: Scope = { service: 'shop', environment: 'production' };
export const shopStaging: Scope = { service: 'shop', environment: 'staging' };

export function aHolder(controller: string): Holder {
  return { controller, host: 'machine', pid: 4711, started: '2026-11-21T10:00:00Z' };
}

const run = { command: ['node', 'server.js'], environment: {}, workingDirectory: '.', limits: {} };

export function aRelease(scope: Scope): Release {
  const digest = `sha256:${'3f9c2a1b'.repeat(8)}`;
  return {
    id: `${scope.service}@3f9c2a1b3f9c`,
    service: scope.service,
    artifact: { kind: 'directory', source: '/srv/shop', digest },
    run,
  };
}

export function aSpec(scope: Scope): DeploySpec {
  return {
    scope,
    source: { kind: 'directory', directory: '/srv/shop', ignore: [] },
    run,
    instances: 2,
    minAvailable: 1,
    health: { path: '/health', intervalMs: 1000, withinMs: 1000, timeoutMs: 60_000, successes: 1 },
    validation: [],
    strategy: { kind: 'blue-green', switchDelayMs: 0, observeMs: 0, keepOldMs: 600_000, promotion: 'automatic' },
    gates: [],
    watch: { forMs: 0, checks: [], healthFailingMs: 120_000 },
    platform: { driver: 'memory' },
    router: { driver: 'memory' },
    drainMs: 30_000,
    stopGraceMs: 10_000,
    keepReleases: 5,
  };
}

export function aRollout(
  id: string,
  version: number,
  more: Partial<Rollout> & { readonly scope?: Scope } = {},
): Rollout {
  const { scope = shop, ...rest } = more;
  return {
    id,
    plan: {
      scope,
      strategy: 'first',
      candidate: aRelease(scope),
      stableInstances: 0,
      steps: [],
      back: [],
      spec: aSpec(scope),
      longestMs: 1000,
    },
    version,
    status: 'DEPLOYING',
    course: 'forward',
    step: 0,
    stepDone: false,
    queue: [],
    effects: 0,
    share: 0,
    preview: false,
    promoted: false,
    revision: 0,
    fleet: { candidate: { serving: [], leaving: [] }, stable: { serving: [], leaving: [] } },
    judgements: [],
    createdAt: 1000,
    createdBy: 'ada@machine',
    at: 1000,
    deadlineAt: 100_000,
    ...rest,
  };
}

export function aRecord(rollout: Rollout, words = 'It happened.'): RecordDraft {
  return {
    at: rollout.at,
    scope: rollout.plan.scope,
    deployment: rollout.id,
    version: rollout.version,
    from: 'INIT',
    to: rollout.status,
    actor: 'sluice',
    event: { kind: 'started', at: rollout.at, actor: 'sluice' },
    words,
  };
}

export function anEffect(id: string): Effect {
  return { id, action: { kind: 'stage' } };
}

export function aSituation(scope: Scope, revision: number): Situation {
  return { ...emptySituation(scope), revision };
}

/** The change that leads a rollout to this version, with a record of it. */
export function aChange(fence: number, rollout: Rollout, more: Partial<Change> = {}): Change {
  return {
    scope: rollout.plan.scope,
    fence,
    rollout,
    expectedVersion: rollout.version - 1,
    record: aRecord(rollout),
    effects: [],
    settled: [],
    ...more,
  };
}

/** Takes the lease of a scope for a minute from `now` on and returns its fence. */
export async function holdLease(store: Store, scope: Scope = shop, controller = 'c-1', now = 0): Promise<number> {
  const request = { kind: 'acquire', scope, holder: aHolder(controller), now, forMs: 60_000 } as const;
  const { lease, granted } = await store.lease(request);
  if (!granted || lease === undefined)
    throw new Error(`the lease of ${scope.environment} is held by ${lease?.holder.controller}`);
  return lease.fence;
}

/** The failure with which the promise rejects; anything else fails the test. */
export async function rejectsWith(promise: Promise<unknown>, code: FailureCode): Promise<Failure> {
  const thrown = await promise.then(
    () => assert.fail(`resolved instead of failing with ${code}`),
    (error: unknown) => error,
  );
  assert.ok(thrown instanceof Failure, `not a Failure: ${String(thrown)}`);
  assert.equal(thrown.code, code);
  assert.notEqual(thrown.remedy, '');
  return thrown;
}
