import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, notWorse, fewErrors, rolling, scope } from '../../test/engine/specs.ts';
import { actor, inWorld } from '../../test/engine/world.ts';

test(
  'the first deployment ends verified, with all traffic on its release',
  inWorld(async (world, engine) => {
    const rollout = await world.deployed(engine, 'v1');
    assert.equal(rollout.plan.strategy, 'first');
    assert.equal(await world.path(rollout.id), 'BUILDING DEPLOYING PROMOTING PROMOTED VERIFYING VERIFIED');
    assert.deepEqual(world.calls, ['ensure v1', 'routes nothing', 'routes v1 100 %', 'routes v1 100 %']);
    assert.equal(world.running, 'v1 ×2');
    const { situation, active, outbox } = await world.state();
    assert.equal(situation.stable?.deployment, rollout.id);
    assert.equal(active, undefined);
    assert.deepEqual(outbox, []);
  }),
);

test(
  'blue-green switches all traffic once and keeps the old release warm',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const since = world.calls.length;
    const rollout = await world.deployed(engine, 'v2');
    assert.equal(await world.path(rollout.id), 'BUILDING DEPLOYING PROMOTING PROMOTED VERIFYING VERIFIED');
    assert.deepEqual(world.routings(since), ['v1 100 %', 'v2 100 %']);
    assert.equal(world.calls.filter((call) => call.startsWith('stop')).length, 0);
    assert.equal(world.running, 'v1 ×2, v2 ×2');
  }),
);

test(
  'blue-green with nothing to keep drains and stops the old release behind the switch',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const since = world.calls.length;
    await world.deployed(engine, 'v2', {
      strategy: { ...blueGreen, keepOldMs: 0, switchDelayMs: 1_000, observeMs: 2_000 },
    });
    assert.deepEqual(
      world.calls.slice(since).filter((call, index, all) => call !== all[index - 1]),
      ['ensure v2', 'routes v1 100 %', 'routes v2 100 %', 'drain', 'stop v1'],
    );
    assert.equal(world.running, 'v2 ×2');
  }),
);

test(
  'a canary that is no worse goes up stage by stage by itself',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const since = world.calls.length;
    const rollout = await world.deployed(engine, 'v2', { strategy: canary, gates: [fewErrors, notWorse] });
    assert.deepEqual(world.routings(since), ['v1 100 %', 'v1 90 %, v2 10 %', 'v1 50 %, v2 50 %', 'v2 100 %']);
    assert.equal(
      await world.path(rollout.id),
      'BUILDING DEPLOYING CANARY CANARY_WAITING CANARY_EVALUATING CANARY CANARY_WAITING CANARY_EVALUATING PROMOTING PROMOTED VERIFYING VERIFIED',
    );
    assert.equal(rollout.judgements.length, 2);
    assert.ok(rollout.at - rollout.createdAt >= 20_000, 'each stage held for its minimum time');
    const [first] = rollout.judgements;
    assert.ok((first?.judgement.candidate.requests ?? 0) >= 20, 'each stage saw its minimum of requests');
  }),
);

test(
  'rolling replaces one instance after the other, each in traffic before an old one leaves',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1', { instances: 3 });
    const since = world.calls.length;
    await world.deployed(engine, 'v2', { strategy: rolling, instances: 3 });
    const steps = world.calls.slice(since).filter((call, index, all) => call !== all[index - 1]);
    assert.deepEqual(steps, [
      'ensure v2',
      'routes v1 66.67 %, v2 33.33 %',
      'drain',
      'stop v1',
      'ensure v2',
      'routes v1 33.34 %, v2 66.66 %',
      'drain',
      'stop v1',
      'ensure v2',
      'routes v2 100 %',
      'drain',
      'stop v1',
      'routes v2 100 %',
    ]);
    assert.equal(world.running, 'v2 ×3');
  }),
);

test(
  'deploying the stable release again changes its number of instances and moves nobody’s traffic',
  inWorld(async (world, engine) => {
    const first = await world.deployed(engine, 'v1');
    const since = world.calls.length;
    const more = await world.deployed(engine, 'v1', { instances: 4 });
    assert.equal(more.plan.strategy, 'same');
    assert.equal(world.running, 'v1 ×4');
    const less = await world.deployed(engine, 'v1', { instances: 1 });
    assert.equal(less.plan.strategy, 'same');
    assert.equal(world.running, 'v1 ×1');
    assert.deepEqual(world.routings(since), ['v1 100 %']);
    const { situation } = await world.state();
    assert.equal(situation.stable?.since, first.at);
    assert.equal(situation.stable.instances, 1);
    assert.deepEqual(situation.earlier, []);
  }),
);

test(
  'more instances of the stable release that do not come up are taken away again, and those that were there stay',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const before = world.platform.view().map(({ id }) => id);
    const id = await world.id('v1');
    world.platformFault = (call) => {
      if (call.operation === 'ensure' && call.moment === 'after') world.platform.behave(id, { healthyAfterMs: 1e12 });
    };
    const rollout = await world.ended((await world.deploy(engine, 'v1', { instances: 3 })).id);
    assert.equal(rollout.status, 'ROLLED_BACK');
    assert.equal(rollout.failure?.code, 'instance.unhealthy');
    assert.deepEqual(
      world.platform.view().map((instance) => instance.id),
      before,
    );
    assert.equal(world.traffics, 'v1 100 %');
  }),
);

test(
  'what is done is the plan that was printed, or nothing',
  inWorld(async (world, engine) => {
    await world.id('v1');
    const { plan, digest } = await engine.plan({ spec: world.spec('v1'), actor });
    assert.deepEqual(world.calls, [], 'planning changes nothing');
    assert.equal((await world.state()).lease, undefined);
    const other = world.spec('v1', { instances: 3 });
    const refusal = await world.refused(engine.deploy({ spec: other, actor, planDigest: digest }), 'plan.changed');
    assert.match(refusal.message, new RegExp(digest));
    assert.deepEqual(world.calls, []);
    assert.equal((await world.state()).lease, undefined, 'the lease is free again');
    const rollout = await world.result(engine.deploy({ spec: world.spec('v1'), actor, planDigest: digest }));
    assert.deepEqual(rollout.plan, plan);
  }),
);

test(
  'what the router cannot do is refused before anything is started',
  inWorld(async (world, engine) => {
    Object.assign(world.router, { capabilities: { ...world.router.capabilities, sticky: false } });
    const strategy = { ...canary, sticky: { cookie: 'sluice', maxAgeMs: 1_000 } };
    const refusal = await world.refused(world.deploy(engine, 'v1', { strategy }), 'plan.unsupported');
    assert.equal(refusal.at, 'strategy.canary.sticky');
    assert.equal(world.running, 'nothing');
  }),
);

test(
  'a deployment is found in history and detail with all its records, an unknown one is refused',
  inWorld(async (world, engine) => {
    const first = await world.deployed(engine, 'v1');
    const second = await world.deployed(engine, 'v2');
    assert.deepEqual(
      (await engine.history({ scope, limit: 10 })).map(({ id }) => id),
      [second.id, first.id],
    );
    const { rollout, records } = await engine.detail(first.id);
    assert.equal(rollout.status, 'VERIFIED');
    assert.deepEqual(
      records.map(({ version }) => version),
      Array.from({ length: rollout.version }, (_, index) => index + 1),
    );
    assert.equal(records[0]?.actor, actor);
    await world.refused(engine.detail('d-none'), 'deployment.unknown');
  }),
);

test(
  'the status tells of the deployment, its holder, instances, routes and live numbers',
  inWorld(async (world, engine) => {
    assert.deepEqual(await engine.status(), []);
    await world.deployed(engine, 'v1');
    const rollout = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(rollout.id, 'CANARY_WAITING');
    await world.pass(6_000);
    const [status] = await engine.status(scope);
    assert.equal(status?.active?.id, rollout.id);
    assert.equal(status.lease?.holder.controller, 'c-1');
    assert.equal(status.attended, true);
    assert.equal(status.instances.length, 4);
    assert.equal(world.words(status.routes), 'v1 90 %, v2 10 %');
    assert.ok((status.live?.requestsPerSecond ?? 0) > 10);
  }),
);

test(
  'a platform or router that does not answer leaves only its own part of the status out',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.platformFault = () => Promise.reject(new Error('the platform is gone'));
    world.routerFault = () => Promise.reject(new Error('the router is gone'));
    const [status] = await engine.status(scope);
    assert.equal(world.version(status?.situation.stable?.release.id ?? ''), 'v1');
    assert.deepEqual([status?.instances, status?.routes, status?.attended], [[], undefined, false]);
    assert.equal(world.logged.filter((line) => line.includes('a part of the status')).length, 2);
  }),
);

test(
  'a service that runs on one platform is not deployed on another, where its stable release would count as gone',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const since = world.calls.length;
    const refusal = await world.refused(
      world.deploy(engine, 'v2', { platform: { driver: 'process' } }),
      'plan.unsupported',
    );
    assert.match(refusal.message, /runs on memory, this deployment would run on process/);
    assert.deepEqual([refusal.at, world.calls.slice(since)], ['platform', []]);
    for (const { id } of world.platform.view()) world.platform.crash(id);
    await world.deployed(engine, 'v2', { platform: { driver: 'process' } });
  }),
);
