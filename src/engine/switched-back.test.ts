// A rollback behind its switch: whatever comes now, users are not led back to the release that was fled from.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, fewErrors, scope } from '../../test/engine/specs.ts';
import { inWorld, type EngineWorld } from '../../test/engine/world.ts';
import { Failure } from '../base/failure.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Engine } from './engine.ts';

/** What is left drains slowly, so that a rollback is under way for a while behind its switch. */
const slow = { drainMs: 30_000, strategy: { ...blueGreen, keepOldMs: 60_000 } };

/** v2 is left for v1, all traffic is on v1, and v2 is still being asked or taken away. */
async function switchedBack(world: EngineWorld, engine: Engine, changes: object = slow): Promise<Rollout> {
  await world.deployed(engine, 'v1', changes);
  await world.deployed(engine, 'v2', changes);
  const drained = Promise.withResolvers<void>();
  world.routerFault = async ({ operation, phase }) => {
    if (operation === 'drain' && phase === 'before') await drained.promise;
  };
  const rollout = await world.rollback(engine);
  await world.until('the drain', async () => (await world.rollout(rollout.id)).status === 'VERIFYING');
  await world.pass(2_000);
  assert.equal(world.traffics, 'v1 100 %');
  // It takes a little longer.
  void world.clock.sleep(1_000).then(drained.resolve);
  return rollout;
}

test(
  'a second rollback is the first one, which goes on',
  inWorld(async (world, engine) => {
    const first = await switchedBack(world, engine);
    const second = await world.rollback(engine);
    assert.equal(second.id, first.id);
    assert.equal((await world.ended(first.id)).status, 'VERIFIED');
    assert.deepEqual(world.routings().at(-1), 'v1 100 %');
  }),
);

test(
  'a controller that is to leave a safe state behind sees the rollback through',
  inWorld(async (world, engine) => {
    const { id } = await switchedBack(world, engine);
    await world.result(engine.close('settle'));
    assert.equal((await world.rollout(id)).status, 'VERIFIED');
    assert.equal(world.traffics, 'v1 100 %');
  }),
);

test(
  'a deployment that is asked for after its controller died waits for its end',
  inWorld(async (world) => {
    const first = world.controller();
    const { id } = await switchedBack(world, first.engine);
    await world.result(first.engine.close('leave'));
    world.declareDead(first);
    await world.deployed(world.controller().engine, 'v3', slow);
    assert.equal((await world.rollout(id)).status, 'VERIFIED');
    assert.deepEqual(world.routings().slice(-2), ['v1 100 %', 'v3 100 %']);
  }),
);

test(
  'an instance that is lost, or a deadline that passes, is for a person and moves no traffic',
  inWorld(async (world, engine) => {
    const { id, plan } = await switchedBack(world, engine);
    engine.attend();
    const target = await world.id('v1');
    world.platform.crash(world.platform.view().find(({ release }) => release === target)?.id ?? '');
    const ended = await world.ended(id);
    assert.deepEqual([ended.status, world.traffics], ['FAILED', 'v1 100 %']);
    assert.match(ended.reason ?? '', /the release that was gone back to does not pass/);
    assert.equal((await world.state()).situation.stable?.release.id, plan.candidate.id);
    await world.until('it is started again', () => world.running === 'v1 ×2');
    await world.result(engine.close('leave'));
  }),
);

test(
  'a switch back that the router does not take is ordered until it does, beyond every deadline',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    await world.deployed(engine, 'v2');
    world.routerFault = ({ operation, phase }) => {
      if (operation !== 'apply' || phase !== 'before') return;
      throw new Failure('router.unreachable', 'the router does not answer', { remedy: 'Start it.' });
    };
    const { id } = await world.rollback(engine);
    await world.pass(1_700_000);
    assert.equal((await world.rollout(id)).status, 'PROMOTING');
    assert.equal(world.running, 'v1 ×2, v2 ×2');
    world.routerFault = undefined;
    assert.equal((await world.ended(id)).status, 'VERIFIED');
    assert.equal(world.traffics, 'v1 100 %');
  }),
);

test(
  'a rollback that comes to nothing leaves the watch on, which tries again',
  inWorld(async (world, engine) => {
    const watch = { forMs: 600_000, checks: [fewErrors], healthFailingMs: 20_000 };
    const changes = { watch, strategy: { ...blueGreen, keepOldMs: 0 } };
    engine.serve();
    await world.deployed(engine, 'v1', changes);
    await world.deployed(engine, 'v2', changes);
    world.platform.behave(await world.id('v1'), { crashesAtStart: 'exit code 1' });
    world.errors('v2', 0.9);
    const rollbacks = async (): Promise<readonly Rollout[]> =>
      (await world.store.rollouts({ scope, limit: 20 })).filter(({ plan }) => plan.strategy === 'rollback');
    await world.until('it came to nothing', async () => (await rollbacks())[0]?.status === 'ROLLED_BACK');
    assert.equal(world.traffics, 'v2 100 %');
    world.platform.behave(await world.id('v1'), {});
    await world.until('the traffic is back', () => world.traffics === 'v1 100 %');
    await world.result(engine.close('leave'));
  }),
);
