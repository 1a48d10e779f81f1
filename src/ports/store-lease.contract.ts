// The part of the store's contract that is about leases: who gets one, and what a jumping clock may and may not do.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type StoreUnderTest, aChange, aHolder, aRollout, rejectsWith, shop, shopStaging } from './store-samples.ts';
import type { LeaseAnswer, Store } from './store.ts';

function acquire(store: Store, controller: string, now: number, deadFence?: number): Promise<LeaseAnswer> {
  return store.lease({ kind: 'acquire', scope: shop, holder: aHolder(controller), now, forMs: 1000, deadFence });
}

function renew(store: Store, fence: number, now: number): Promise<LeaseAnswer> {
  return store.lease({ kind: 'renew', scope: shop, fence, now, forMs: 1000 });
}

export function leaseTests(under: () => StoreUnderTest): void {
  it('gives a lease to the first and refuses the second, telling who has it', async () => {
    const { store, reopen } = under();
    const first = await acquire(store, 'c-1', 5000);
    assert.deepEqual(first, {
      granted: true,
      lease: { scope: shop, fence: 1, holder: aHolder('c-1'), since: 5000, until: 6000 },
    });
    const second = await acquire(await reopen(), 'c-2', 5999);
    assert.deepEqual(second, { granted: false, lease: first.lease });
    assert.deepEqual((await store.scopes(shop))[0]?.lease, first.lease);
  });

  it('grants exactly one of many that ask at once', async () => {
    const { store, reopen } = under();
    const other = await reopen();
    const names = Array.from({ length: 20 }, (_, index) => `c-${index}`);
    const answers = await Promise.all(names.map((name, index) => acquire(index % 2 === 0 ? store : other, name, 5000)));
    assert.equal(answers.filter((answer) => answer.granted).length, 1);
    assert.equal(new Set(answers.map((answer) => answer.lease?.holder.controller)).size, 1);
  });

  it('gives an ended lease to the next holder with a greater fence', async () => {
    const { store } = under();
    await acquire(store, 'c-1', 5000);
    const next = await acquire(store, 'c-2', 6000);
    assert.deepEqual(next.lease, { scope: shop, fence: 2, holder: aHolder('c-2'), since: 6000, until: 7000 });
    assert.deepEqual(await renew(store, 1, 6001), { granted: false, lease: next.lease });
    assert.deepEqual(await store.lease({ kind: 'release', scope: shop, fence: 1 }), {
      granted: false,
      lease: next.lease,
    });
  });

  it('gives the same holder its own lease again, longer', async () => {
    const { store } = under();
    await acquire(store, 'c-1', 5000);
    const again = await acquire(store, 'c-1', 5500);
    assert.deepEqual(again.lease, { scope: shop, fence: 1, holder: aHolder('c-1'), since: 5000, until: 6500 });
    assert.equal(again.granted, true);
  });

  it('takes a process with the same pid but another start time for another holder', async () => {
    const { store } = under();
    await acquire(store, 'c-1', 5000);
    const holder = { ...aHolder('c-1'), started: 'later' };
    const answer = await store.lease({ kind: 'acquire', scope: shop, holder, now: 5001, forMs: 1000 });
    assert.equal(answer.granted, false);
  });

  it('gives the lease of a dead holder to the next at once, but only while that holder has it', async () => {
    const { store } = under();
    await acquire(store, 'c-1', 5000);
    const next = await acquire(store, 'c-2', 5001, 1);
    assert.equal(next.granted, true);
    assert.equal(next.lease?.fence, 2);
    const late = await acquire(store, 'c-3', 5002, 1);
    assert.deepEqual(late, { granted: false, lease: next.lease });
  });

  it('lets the fence grow also after a release, over a restart', async () => {
    const { store, reopen } = under();
    await acquire(store, 'c-1', 5000);
    assert.deepEqual(await store.lease({ kind: 'release', scope: shop, fence: 1 }), { granted: true });
    assert.equal((await store.scopes(shop))[0]?.lease, undefined);
    assert.deepEqual(await store.lease({ kind: 'release', scope: shop, fence: 1 }), { granted: false });
    assert.deepEqual(await renew(store, 1, 5001), { granted: false });
    assert.equal((await acquire(await reopen(), 'c-1', 5002)).lease?.fence, 2);
  });

  it('keeps the leases of scopes apart', async () => {
    const { store } = under();
    await acquire(store, 'c-1', 5000);
    const other = await store.lease({
      kind: 'acquire',
      scope: shopStaging,
      holder: aHolder('c-2'),
      now: 5000,
      forMs: 1000,
    });
    assert.equal(other.granted, true);
    assert.equal((await store.lease({ kind: 'release', scope: shopStaging, fence: 1 })).granted, true);
    assert.equal((await renew(store, 1, 5001)).granted, true);
  });
}

export function clockTests(under: () => StoreUnderTest): void {
  it('renews from the time that the renewal brings', async () => {
    const { store } = under();
    await acquire(store, 'c-1', 5000);
    const renewed = await renew(store, 1, 5500);
    assert.deepEqual(renewed.lease, { scope: shop, fence: 1, holder: aHolder('c-1'), since: 5000, until: 6500 });
    assert.equal((await acquire(store, 'c-2', 6499)).granted, false);
    assert.equal((await acquire(store, 'c-2', 6500)).granted, true);
  });

  it('renews a lease that ended but that nobody took', async () => {
    const { store } = under();
    await acquire(store, 'c-1', 5000);
    assert.equal((await renew(store, 1, 90_000)).granted, true);
    assert.equal((await acquire(store, 'c-2', 90_500)).granted, false);
  });

  it('ends a dead holder’s lease one length after the first look when the clock went back', async () => {
    const { store } = under();
    await acquire(store, 'c-1', 1_000_000);
    const refused = await acquire(store, 'c-2', 5000);
    assert.equal(refused.granted, false);
    assert.equal(refused.lease?.until, 6000);
    assert.equal((await acquire(store, 'c-2', 5999)).granted, false);
    assert.equal((await acquire(store, 'c-2', 6000)).granted, true);
  });

  it('keeps a living holder’s lease when the clock went back and it goes on renewing', async () => {
    const { store } = under();
    await acquire(store, 'c-1', 1_000_000);
    assert.equal((await acquire(store, 'c-2', 5000)).granted, false);
    assert.equal((await renew(store, 1, 5300)).lease?.until, 6300);
    assert.equal((await acquire(store, 'c-2', 6100)).granted, false);
    assert.equal((await renew(store, 1, 6200)).granted, true);
  });

  it('refuses the commits of a holder that slept through a forward jump in which another took over', async () => {
    const { store } = under();
    await acquire(store, 'c-1', 5000);
    assert.equal((await acquire(store, 'c-2', 1_000_000)).granted, true);
    assert.equal((await renew(store, 1, 1_000_001)).granted, false);
    await rejectsWith(store.commit(aChange(1, aRollout('d-1', 1))), 'lease.lost');
  });
}
