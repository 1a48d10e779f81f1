// The memory store passes the contract, and its faults strike where they say.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aChange, aRollout, holdLease } from '../../../ports/store-samples.ts';
import { storeContract } from '../../../ports/store.contract.ts';
import { type StoreFaults, createMemoryStore } from './driver.ts';

storeContract('memory', async () => {
  const store = createMemoryStore();
  return { store, reopen: async () => store, end: async () => {} };
});

describe('memory store', () => {
  it('writes nothing when a fault strikes before, and all when it strikes after', async () => {
    const faults: StoreFaults = {};
    const store = createMemoryStore(faults);
    const fence = await holdLease(store);
    const fault = (): void => {
      throw new Error('crash');
    };
    faults.before = fault;
    await assert.rejects(store.commit(aChange(fence, aRollout('d-1', 1))), /crash/);
    assert.deepEqual(await store.rollouts({ limit: 1 }), []);
    faults.before = undefined;
    faults.after = fault;
    await assert.rejects(store.commit(aChange(fence, aRollout('d-1', 1))), /crash/);
    assert.equal((await store.rollouts({ limit: 1 })).length, 1);
  });

  it('returns frozen values', async () => {
    const store = createMemoryStore();
    await store.commit(aChange(await holdLease(store), aRollout('d-1', 1)));
    const [rollout] = await store.rollouts({ limit: 1 });
    assert.ok(Object.isFrozen(rollout) && Object.isFrozen(rollout?.plan.candidate.run.command));
  });
});
