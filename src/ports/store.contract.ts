// The contract of the store port: every driver passes this suite, drivers from outside included.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { emptySituation } from '../core/rollout/situation.ts';
import { beginTrial } from '../core/gate/trial.ts';
import type { Scope } from '../core/scope.ts';
import {
  type StoreUnderTest,
  aChange,
  aRecord,
  aRollout,
  aSituation,
  anEffect,
  holdLease,
  rejectsWith,
  shop,
  shopStaging,
} from './store-samples.ts';
import { clockTests, leaseTests } from './store-lease.contract.ts';
import type { Store } from './store.ts';

/** Registers the contract's tests for one driver. */
export function storeContract(name: string, start: () => Promise<StoreUnderTest>): void {
  describe(`store contract: ${name}`, () => {
    let under: StoreUnderTest;
    beforeEach(async () => {
      under = await start();
    });
    afterEach(() => under.end());
    describe('commits', () => commitTests(() => under));
    describe('queries', () => queryTests(() => under));
    describe('leases', () => leaseTests(() => under));
    describe('leases and the clock', () => clockTests(() => under));
  });
}

/** Everything that the store knows, to see that nothing changed. */
async function everything(store: Store): Promise<unknown> {
  const [scopes, rollouts, records] = await Promise.all([
    store.scopes(),
    store.rollouts({ limit: 1000 }),
    store.records({ limit: 1000 }),
  ]);
  return { scopes, rollouts, records };
}

function commitTests(under: () => StoreUnderTest): void {
  it('keeps a change whole and gives it to another reader', async () => {
    const { store, reopen } = under();
    const fence = await holdLease(store);
    const rollout = aRollout('d-1', 1);
    const situation = aSituation(shop, 7);
    const record = await store.commit(
      aChange(fence, rollout, { situation, effects: [anEffect('d-1#1'), anEffect('d-1#2')] }),
    );
    assert.deepEqual(record, { ...aRecord(rollout), sequence: record?.sequence });
    const other = await reopen();
    const [state] = await other.scopes(shop);
    assert.deepEqual(state?.situation, situation);
    assert.deepEqual(state.active, rollout);
    assert.deepEqual(state.outbox, [anEffect('d-1#1'), anEffect('d-1#2')]);
    assert.equal(state.lease?.fence, fence);
    assert.deepEqual(await other.records({ limit: 10 }), [record]);
  });

  it('refuses a commit without a lease, changing nothing', async () => {
    const { store } = under();
    await rejectsWith(store.commit(aChange(1, aRollout('d-1', 1))), 'lease.lost');
    assert.deepEqual(await store.scopes(), []);
    assert.deepEqual(await store.rollouts({ limit: 10 }), []);
  });

  it('refuses a commit of the holder before, and says who holds the lease now', async () => {
    const { store } = under();
    const old = await holdLease(store, shop, 'c-1', 0);
    await store.commit(aChange(old, aRollout('d-1', 1)));
    await holdLease(store, shop, 'c-2', 60_000);
    const before = await everything(store);
    const failure = await rejectsWith(
      store.commit(aChange(old, aRollout('d-1', 2), { effects: [anEffect('d-1#1')] })),
      'lease.lost',
    );
    assert.match(failure.message, /c-2/);
    assert.deepEqual(await everything(store), before);
  });

  it('refuses a commit after the lease was released', async () => {
    const { store } = under();
    const fence = await holdLease(store);
    await store.lease({ kind: 'release', scope: shop, fence });
    await rejectsWith(store.commit(aChange(fence, aRollout('d-1', 1))), 'lease.lost');
  });

  it('accepts a commit of a holder whose lease ended but was taken by nobody', async () => {
    const { store } = under();
    const fence = await holdLease(store, shop, 'c-1', -1_000_000);
    await store.commit(aChange(fence, aRollout('d-1', 1)));
    assert.equal((await store.rollouts({ limit: 1 }))[0]?.id, 'd-1');
  });

  it('does not let the lease of one scope write to another', async () => {
    const { store } = under();
    const fence = await holdLease(store);
    await rejectsWith(store.commit(aChange(fence, aRollout('d-1', 1, { scope: shopStaging }))), 'lease.lost');
  });

  it('refuses another version, changing nothing', async () => {
    const { store } = under();
    const fence = await holdLease(store);
    await store.commit(aChange(fence, aRollout('d-1', 1)));
    await store.commit(aChange(fence, aRollout('d-1', 2)));
    const before = await everything(store);
    const effects = [anEffect('d-1#9')];
    const situation = aSituation(shop, 9);
    await rejectsWith(store.commit(aChange(fence, aRollout('d-1', 2), { effects, situation })), 'store.conflict');
    await rejectsWith(store.commit(aChange(fence, aRollout('d-1', 4), { effects, situation })), 'store.conflict');
    await rejectsWith(store.commit(aChange(fence, aRollout('d-2', 4), { effects, situation })), 'store.conflict');
    assert.deepEqual(await everything(store), before);
  });

  it('refuses a version that does not grow', async () => {
    const { store } = under();
    const fence = await holdLease(store);
    await store.commit(aChange(fence, aRollout('d-1', 1)));
    await rejectsWith(store.commit(aChange(fence, aRollout('d-1', 1), { expectedVersion: 1 })), 'store.conflict');
  });

  it('accepts exactly one of two commits at once', async () => {
    const { store, reopen } = under();
    const other = await reopen();
    const fence = await holdLease(store);
    await store.commit(aChange(fence, aRollout('d-1', 1)));
    const outcomes = await Promise.allSettled([
      store.commit(aChange(fence, aRollout('d-1', 2, { reason: 'first' }))),
      other.commit(aChange(fence, aRollout('d-1', 2, { reason: 'second' }))),
    ]);
    assert.deepEqual(outcomes.map((outcome) => outcome.status).sort(), ['fulfilled', 'rejected']);
    assert.equal((await store.records({ limit: 10 })).length, 2);
  });

  it('refuses a second deployment under way in a scope, and allows it once the first has ended', async () => {
    const { store } = under();
    const fence = await holdLease(store);
    await store.commit(aChange(fence, aRollout('d-1', 1)));
    const failure = await rejectsWith(store.commit(aChange(fence, aRollout('d-2', 1))), 'store.conflict');
    assert.match(failure.message, /d-1/);
    await store.commit(aChange(fence, aRollout('d-1', 2, { status: 'VERIFIED' })));
    assert.equal((await store.scopes(shop))[0]?.active, undefined);
    await store.commit(aChange(fence, aRollout('d-2', 1)));
    assert.equal((await store.scopes(shop))[0]?.active?.id, 'd-2');
  });

  it('keeps the outbox oldest first and takes settled effects out', async () => {
    const { store } = under();
    const fence = await holdLease(store);
    await store.commit(aChange(fence, aRollout('d-1', 1), { effects: [anEffect('d-1#2'), anEffect('d-1#1')] }));
    await store.commit(
      aChange(fence, aRollout('d-1', 2), { effects: [anEffect('d-1#10')], settled: ['d-1#2', 'unknown'] }),
    );
    const [state] = await store.scopes(shop);
    assert.deepEqual(
      state?.outbox.map((effect) => effect.id),
      ['d-1#1', 'd-1#10'],
    );
  });

  it('does not take effects of another scope out', async () => {
    const { store } = under();
    const fence = await holdLease(store);
    const stagingFence = await holdLease(store, shopStaging);
    await store.commit(aChange(fence, aRollout('d-1', 1), { effects: [anEffect('d-1#1')] }));
    await store.commit(aChange(stagingFence, aRollout('d-2', 1, { scope: shopStaging }), { settled: ['d-1#1'] }));
    assert.equal((await store.scopes(shop))[0]?.outbox.length, 1);
  });

  it('refuses an effect that is in the outbox already, changing nothing', async () => {
    const { store } = under();
    const fence = await holdLease(store);
    await store.commit(aChange(fence, aRollout('d-1', 1), { effects: [anEffect('d-1#1')] }));
    const before = await everything(store);
    await assert.rejects(
      store.commit(aChange(fence, aRollout('d-1', 2), { effects: [anEffect('d-1#1')] })),
      /outbox already/,
    );
    assert.deepEqual(await everything(store), before);
  });

  it('changes a situation alone and keeps it when a later change has none', async () => {
    const { store } = under();
    const fence = await holdLease(store);
    const none = await store.commit({ scope: shop, fence, effects: [], settled: [], situation: aSituation(shop, 3) });
    assert.equal(none, undefined);
    await store.commit(aChange(fence, aRollout('d-1', 1)));
    assert.deepEqual((await store.scopes(shop))[0]?.situation, aSituation(shop, 3));
  });

  it('keeps what the traffic of a trial showed, in place of what it had, for longer than the deployment', async () => {
    const { store, reopen } = under();
    const fence = await holdLease(store);
    assert.equal((await store.scopes(shop))[0]?.trial, undefined);
    const nothing = { scope: shop, fence, effects: [], settled: [] };
    await store.commit({ ...nothing, trial: { deployment: 'd-1' } });
    const trial = beginTrial('d-2');
    await store.commit(aChange(fence, aRollout('d-2', 1), { trial }));
    await store.commit(aChange(fence, aRollout('d-2', 2, { status: 'VERIFIED' })));
    assert.deepEqual((await (await reopen()).scopes(shop))[0]?.trial, JSON.parse(JSON.stringify(trial)));
    await rejectsWith(store.commit({ ...nothing, fence: fence - 1, trial: { deployment: 'd-3' } }), 'lease.lost');
    assert.equal((await store.scopes(shop))[0]?.trial?.deployment, 'd-2');
  });

  it('refuses parts that do not belong together, and records of unknown deployments', async () => {
    const { store } = under();
    const fence = await holdLease(store);
    const rollout = aRollout('d-1', 1);
    await assert.rejects(store.commit(aChange(fence, rollout, { record: aRecord(aRollout('d-2', 1)) })), /d-2/);
    await assert.rejects(
      store.commit(aChange(fence, rollout, { situation: aSituation(shopStaging, 1) })),
      /another scope/,
    );
    const orphan = { scope: shop, fence, effects: [], settled: [], record: aRecord(rollout) };
    await assert.rejects(store.commit(orphan), /unknown deployment/);
    assert.deepEqual(await store.rollouts({ limit: 10 }), []);
  });

  it('does not let callers change what is stored', async () => {
    const { store } = under();
    const fence = await holdLease(store);
    const reasons = ['as it was'];
    const rollout = { ...aRollout('d-1', 1), reason: reasons[0] };
    const record = await store.commit(aChange(fence, rollout));
    rollout.reason = 'changed by the caller';
    const [read] = await store.rollouts({ limit: 1 });
    for (const value of [read, record, read?.plan.scope]) Reflect.set(value ?? {}, 'reason', 'changed by a reader');
    const [again] = await store.rollouts({ limit: 1 });
    assert.equal(again?.reason, 'as it was');
    assert.equal(Reflect.has(again.plan.scope, 'reason'), false);
    assert.equal(Reflect.has((await store.records({ limit: 1 }))[0] ?? {}, 'reason'), false);
  });

  it('keeps text of every kind', async () => {
    const { store, reopen } = under();
    const fence = await holdLease(store);
    const reason = `'; DROP TABLE rollouts; -- \u0000 \u2028 😀 "quoted" \\ ${'x'.repeat(200_000)}`;
    await store.commit(aChange(fence, aRollout("d-'1", 1, { reason })));
    const [read] = await (await reopen()).rollouts({ id: "d-'1", limit: 1 });
    assert.equal(read?.reason, reason);
  });
}

function queryTests(under: () => StoreUnderTest): void {
  it('gives an empty situation for a scope that it does not know, and no scopes when it is empty', async () => {
    const { store } = under();
    assert.deepEqual(await store.scopes(), []);
    assert.deepEqual(await store.scopes(shop), [{ situation: emptySituation(shop), outbox: [] }]);
    assert.deepEqual(await store.scopes(), []);
    assert.deepEqual(await store.rollouts({ limit: 10 }), []);
    assert.deepEqual(await store.records({ limit: 10 }), []);
  });

  it('lists the scopes that have a commit or a lease, in the order of their names', async () => {
    const { store } = under();
    await store.commit(aChange(await holdLease(store, shopStaging), aRollout('d-1', 1, { scope: shopStaging })));
    const fence = await holdLease(store, shop);
    const listed = async (): Promise<string[]> =>
      (await store.scopes()).map((state) => state.situation.scope.environment);
    assert.deepEqual(await listed(), ['production', 'staging']);
    await store.lease({ kind: 'release', scope: shop, fence });
    assert.deepEqual(await listed(), ['staging']);
  });

  it('gives deployments newest first, by scope and by id, at most so many', async () => {
    const { store } = under();
    await fill(store, shop, ['d-1', 'd-3']);
    await fill(store, shopStaging, ['d-2', 'd-4']);
    const ids = async (query: Parameters<Store['rollouts']>[0]): Promise<string[]> =>
      (await store.rollouts(query)).map((rollout) => rollout.id);
    assert.deepEqual(await ids({ limit: 10 }), ['d-4', 'd-2', 'd-3', 'd-1']);
    assert.deepEqual(await ids({ limit: 3 }), ['d-4', 'd-2', 'd-3']);
    assert.deepEqual(await ids({ scope: shop, limit: 10 }), ['d-3', 'd-1']);
    assert.deepEqual(await ids({ id: 'd-2', limit: 10 }), ['d-2']);
    assert.deepEqual(await ids({ id: 'd-2', scope: shop, limit: 10 }), []);
    assert.deepEqual(await ids({ id: 'none', limit: 10 }), []);
  });

  it('gives records oldest first, after a sequence number, by scope and by deployment, at most so many', async () => {
    const { store } = under();
    await fill(store, shop, ['d-1', 'd-3']);
    await fill(store, shopStaging, ['d-2']);
    const read = async (query: Parameters<Store['records']>[0]): Promise<string[]> =>
      (await store.records(query)).map((record) => `${record.deployment} ${record.version}`);
    const all = await store.records({ limit: 100 });
    const sequences = all.map((record) => record.sequence);
    assert.deepEqual(
      sequences,
      [...new Set(sequences)].sort((a, b) => a - b),
    );
    assert.deepEqual(await read({ limit: 100 }), ['d-1 1', 'd-1 2', 'd-3 1', 'd-3 2', 'd-2 1', 'd-2 2']);
    assert.deepEqual(await read({ after: sequences[1], limit: 2 }), ['d-3 1', 'd-3 2']);
    assert.deepEqual(await read({ after: sequences[5], limit: 2 }), []);
    assert.deepEqual(await read({ after: -5, limit: 1 }), ['d-1 1']);
    assert.deepEqual(await read({ scope: shopStaging, limit: 100 }), ['d-2 1', 'd-2 2']);
    assert.deepEqual(await read({ deployment: 'd-3', after: sequences[2], limit: 100 }), ['d-3 2']);
    assert.deepEqual(await read({ order: 'newest first', limit: 3 }), ['d-2 2', 'd-2 1', 'd-3 2']);
    assert.deepEqual(await read({ order: 'newest first', scope: shop, limit: 1 }), ['d-3 2']);
    assert.deepEqual(await read({ order: 'newest first', after: sequences[4], limit: 9 }), ['d-2 2']);
  });
}

/** Two versions of each deployment, the second of them final. */
async function fill(store: Store, scope: Scope, ids: readonly string[]): Promise<void> {
  const fence = await holdLease(store, scope);
  for (const id of ids) {
    await store.commit(aChange(fence, aRollout(id, 1, { scope })));
    await store.commit(aChange(fence, aRollout(id, 2, { scope, status: 'VERIFIED' })));
  }
}
