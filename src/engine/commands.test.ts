import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, scope } from '../../test/engine/specs.ts';
import { actor, inWorld, type EngineWorld } from '../../test/engine/world.ts';
import type { Engine } from './engine.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Status } from '../core/rollout/status.ts';

async function canaryAt(world: EngineWorld, engine: Engine, status: Status): Promise<Rollout> {
  await world.deployed(engine, 'v1');
  const rollout = await world.deploy(engine, 'v2', { strategy: canary });
  return world.reaches(rollout.id, status);
}

test(
  'a paused deployment stays where it is until it is resumed, and then goes on',
  inWorld(async (world, engine) => {
    const { id } = await canaryAt(world, engine, 'CANARY_WAITING');
    const paused = await world.command(engine, { kind: 'pause', reason: 'lunch' });
    assert.deepEqual([paused.status, paused.reason], ['PAUSED', 'lunch']);
    await world.pass(600_000);
    assert.equal(world.traffics, 'v1 90 %, v2 10 %');
    assert.equal((await world.rollout(id)).status, 'PAUSED');
    await world.refused(world.command(engine, { kind: 'pause', reason: 'again' }), 'deployment.command');
    await world.command(engine, { kind: 'resume' });
    const ended = await world.ended(id);
    assert.equal(ended.status, 'VERIFIED');
  }),
);

test(
  'a gate that fails during a pause goes back without waiting for anybody',
  inWorld(async (world, engine) => {
    const { id } = await canaryAt(world, engine, 'CANARY_WAITING');
    await world.command(engine, { kind: 'pause', reason: 'lunch' });
    world.errors('v2', 0.9);
    assert.equal((await world.ended(id)).status, 'ROLLED_BACK');
  }),
);

test(
  'a pause while a share is being put in force goes on to where that is judged',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.errors('v2', 0.9);
    world.routerFault = async ({ operation, phase, routes }) => {
      if (operation === 'apply' && phase === 'before' && world.words(routes).includes('v2'))
        await world.clock.sleep(3_000);
    };
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY');
    const paused = await world.command(engine, { kind: 'pause', reason: 'lunch' });
    assert.equal(paused.status, 'PAUSED');
    const ended = await world.ended(id);
    assert.deepEqual([ended.status, ended.failure?.code], ['ROLLED_BACK', 'gate.failed']);
  }),
);

test(
  'a pause in the middle of a switch is resumed where it came to, and looked at behind it meanwhile',
  inWorld(async (world, engine) => {
    const strategy = { ...blueGreen, observeMs: 5_000 };
    await world.deployed(engine, 'v1', { strategy });
    world.routerFault = async ({ operation, phase, routes }) => {
      if (operation === 'apply' && phase === 'before' && world.words(routes) === 'v2 100 %')
        await world.clock.sleep(3_000);
    };
    const { id } = await world.deploy(engine, 'v2', { strategy });
    await world.reaches(id, 'PROMOTING');
    await world.command(engine, { kind: 'pause', reason: 'lunch' });
    await world.pass(60_000);
    const paused = await world.rollout(id);
    assert.deepEqual([paused.status, paused.reason, paused.hold !== undefined], ['PAUSED', 'lunch', true]);
    await world.command(engine, { kind: 'resume' });
    assert.equal((await world.ended(id)).status, 'VERIFIED');
  }),
);

test(
  'a pause while instances start holds the traffic back, not the start',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.platform.behave(await world.id('v2'), { healthyAfterMs: 10_000 });
    const { id } = await world.deploy(engine, 'v2');
    await world.command(engine, { kind: 'pause', reason: 'lunch' });
    await world.pass(60_000);
    assert.equal(world.running, 'v1 ×2, v2 ×2');
    assert.equal((await world.rollout(id)).status, 'PAUSED');
    assert.equal(world.traffics, 'v1 100 %');
    await world.command(engine, { kind: 'resume' });
    assert.equal((await world.ended(id)).status, 'VERIFIED');
  }),
);

test(
  'promote ends a stage at once, and promote --full all of them',
  inWorld(async (world, engine) => {
    const { id } = await canaryAt(world, engine, 'CANARY_WAITING');
    const since = world.calls.length;
    const promoted = await world.command(engine, { kind: 'promote', full: false });
    assert.equal(promoted.share, 5_000);
    await world.reaches(id, 'CANARY_WAITING');
    await world.command(engine, { kind: 'promote', full: true });
    const ended = await world.ended(id);
    assert.equal(ended.status, 'VERIFIED');
    assert.deepEqual(world.routings(since), ['v1 50 %, v2 50 %', 'v2 100 %']);
    assert.ok(ended.at - ended.createdAt < 10_000, 'no stage held for its minimum time');
  }),
);

test(
  'who ends a deployment hears of it when the traffic is back, and does not wait for a router that takes long',
  inWorld(async (world, engine) => {
    for (const [takesMs, traffic] of [
      [100, 'v1 100 %'],
      [5_000, 'v1 90 %, v2 10 %'],
    ] as const) {
      const { id } = await canaryAt(world, engine, 'CANARY_WAITING');
      world.routerFault = async ({ operation, phase }) => {
        if (operation === 'apply' && phase === 'before') await world.clock.sleep(takesMs);
      };
      const askedAt = world.clock.now();
      const { status } = await world.command(engine, { kind: 'abort', reason: 'enough' });
      assert.deepEqual([status, world.traffics], ['ROLLING_BACK', traffic]);
      assert.ok(world.clock.now() - askedAt < 1_000);
      world.routerFault = undefined;
      assert.equal((await world.ended(id)).status, 'ROLLED_BACK');
    }
  }),
);

test(
  'manual promotion waits for a person at each stage, however long, and says so',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: { ...canary, promotion: 'manual' } });
    for (const share of ['v1 90 %, v2 10 %', 'v1 50 %, v2 50 %']) {
      const waiting = await world.reaches(id, 'AWAITING_APPROVAL');
      assert.match(waiting.reason ?? '', /waits for `sluice promote`/);
      await world.pass(3_600_000 / 4);
      assert.equal(world.traffics, share);
      await world.refused(world.command(engine, { kind: 'resume' }), 'deployment.command');
      await world.command(engine, { kind: 'promote', full: false });
    }
    assert.equal((await world.ended(id)).status, 'VERIFIED');
  }),
);

test(
  'manual blue-green waits for a person before the switch',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: { ...blueGreen, promotion: 'manual' } });
    await world.reaches(id, 'AWAITING_APPROVAL');
    assert.equal(world.traffics, 'v1 100 %');
    await world.command(engine, { kind: 'promote', full: false });
    assert.equal((await world.ended(id)).status, 'VERIFIED');
    assert.equal(world.traffics, 'v2 100 %');
  }),
);

test(
  'a stage without a conclusion pauses when its longest time is over, and has that time again when it is resumed',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const stages = canary.stages.map((stage) => ({ ...stage, requests: 1_000_000 }));
    const { id, at } = await world.deploy(engine, 'v2', { strategy: { ...canary, stages } });
    const paused = await world.reaches(id, 'PAUSED');
    assert.ok(paused.at - at >= canary.maxHoldMs);
    assert.match(paused.reason ?? '', /no conclusion in the longest time allowed/);
    const resumed = await world.command(engine, { kind: 'resume' });
    assert.equal(resumed.status, 'CANARY_WAITING');
    const again = await world.reaches(id, 'PAUSED');
    assert.ok(again.at - resumed.at >= canary.maxHoldMs);
    await world.command(engine, { kind: 'promote', full: true });
    assert.equal((await world.ended(id)).status, 'VERIFIED');
  }),
);

test(
  'samples that were lost keep a stage from passing',
  inWorld(async (world, engine) => {
    const { id } = await canaryAt(world, engine, 'CANARY_WAITING');
    world.router.push(scope, [], 1_000);
    const paused = await world.reaches(id, 'PAUSED');
    assert.match(paused.reason ?? '', /samples were lost on the way/);
    await world.command(engine, { kind: 'abort', reason: 'enough' });
    await world.ended(id);
  }),
);

for (const moment of ['DEPLOYING', 'CANARY_WAITING', 'PAUSED', 'AWAITING_APPROVAL'] as const) {
  test(
    `abort in ${moment} goes back and leaves everything as it was`,
    inWorld(async (world, engine) => {
      await world.deployed(engine, 'v1');
      world.platform.behave(await world.id('v2'), { healthyAfterMs: 5_000 });
      const promotion = moment === 'AWAITING_APPROVAL' ? 'manual' : 'automatic';
      const { id } = await world.deploy(engine, 'v2', { strategy: { ...canary, promotion } });
      await world.reaches(id, moment === 'PAUSED' ? 'CANARY_WAITING' : moment);
      if (moment === 'PAUSED') await world.command(engine, { kind: 'pause', reason: 'lunch' });
      assert.equal((await world.rollout(id)).status, moment);
      const going = await world.command(engine, { kind: 'abort', reason: 'enough' });
      assert.equal(going.status, 'ROLLING_BACK');
      const ended = await world.ended(id);
      assert.deepEqual([ended.status, ended.reason], ['ROLLED_BACK', 'enough']);
      assert.equal(world.traffics, 'v1 100 %');
      assert.equal(world.running, 'v1 ×2');
    }),
  );
}

test(
  'a command while a deployment goes back is refused',
  inWorld(async (world, engine) => {
    const { id } = await canaryAt(world, engine, 'CANARY_WAITING');
    world.platform.behave(await world.id('v2'), { endsAfterMs: 2_000 });
    await world.command(engine, { kind: 'abort', reason: 'enough' });
    const refusal = await world.refused(world.command(engine, { kind: 'promote', full: true }), 'deployment.command');
    assert.match(refusal.message, /going back already/);
    assert.equal((await world.ended(id)).status, 'ROLLED_BACK');
  }),
);

test(
  'a command without a deployment, or behind its end, is refused',
  inWorld(async (world, engine) => {
    await world.refused(world.command(engine, { kind: 'abort', reason: 'enough' }), 'deployment.none');
    await world.deployed(engine, 'v1');
    const refusal = await world.refused(world.command(engine, { kind: 'pause', reason: 'lunch' }), 'deployment.none');
    assert.match(refusal.message, /shop\/production/);
  }),
);

test(
  'every command is recorded with the person who gave it',
  inWorld(async (world, engine) => {
    const { id } = await canaryAt(world, engine, 'CANARY_WAITING');
    await world.result(engine.command(scope, { kind: 'pause', reason: 'lunch' }, { actor: 'bob@desk' }));
    await world.result(engine.command(scope, { kind: 'abort', reason: 'enough' }, { actor: 'eve@desk' }));
    await world.ended(id);
    const said = (await world.records(id)).filter((record) => record.actor !== 'sluice');
    assert.deepEqual(
      said.map((record) => [record.actor, record.event.kind]),
      [
        [actor, 'started'],
        ['bob@desk', 'pause'],
        ['eve@desk', 'abort'],
      ],
    );
  }),
);
