import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, notWorse, ready, rolling, scope } from '../../test/engine/specs.ts';
import { actor, inWorld } from '../../test/engine/world.ts';
import { Failure } from '../base/failure.ts';

test(
  'a failing gate takes the traffic away before anything else is done, and explains itself',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.errors('v2', 0.8);
    const rollout = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(rollout.id, 'CANARY_WAITING');
    const since = world.calls.length;
    const ended = await world.ended(rollout.id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.deepEqual(world.calls.slice(since, since + 4), ['routes v1 100 %', 'routes v1 100 %', 'drain', 'stop v2']);
    assert.equal(ended.failure?.code, 'gate.failed');
    assert.match(ended.reason ?? '', /error rate is .* % on \d+ requests, allowed is at most 20 %/);
    assert.equal(world.running, 'v1 ×2');
    assert.ok((ended.safeAt ?? 0) - ended.createdAt < 10_000, 'long before the stage’s minimum time');
    const { situation } = await world.state();
    assert.equal(world.version(situation.stable?.release.id ?? ''), 'v1');
  }),
);

test(
  'a release that is worse than stable goes back although it is within every limit of its own',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.errors('v2', 0.15);
    const rollout = await world.deploy(engine, 'v2', { strategy: canary, gates: [notWorse] });
    const ended = await world.ended(rollout.id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.match(ended.reason ?? '', /against 0 % of stable/);
  }),
);

test(
  'errors of stable and of the candidate alike do not speak against the candidate',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.errors('v1', 0.3);
    world.errors('v2', 0.3);
    await world.deployed(engine, 'v2', { strategy: canary, gates: [notWorse] });
  }),
);

test(
  'an instance that ends at its start is a verdict at once, with its last words, and no traffic moved',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.platform.behave(await world.id('v2'), { crashesAtStart: 'exit code 3' });
    const since = world.calls.length;
    const begunAt = world.clock.now();
    const ended = await world.ended((await world.deploy(engine, 'v2')).id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.equal(ended.failure?.code, 'instance.crashed');
    assert.match(ended.failure.message, /of shop@\w+ ended by itself \(exit code 3\)/);
    assert.deepEqual(ended.failure.details?.['lastLines'], ['last words']);
    assert.ok(world.clock.now() - begunAt < 10_000, 'nobody waited for the health timeout');
    assert.deepEqual([...new Set(world.routings(since))], ['v1 100 %']);
    assert.equal(world.running, 'v1 ×2');
  }),
);

test(
  'a release that never becomes healthy goes back when its time is over, and says what was found',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.platform.behave(await world.id('v2'), { unhealthy: true });
    const ended = await world.ended((await world.deploy(engine, 'v2')).id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.equal(ended.failure?.code, 'instance.unhealthy');
    assert.match(ended.failure.message, /is not healthy after 30s: .* at 127\.0\.0\.1:\d+/);
    assert.ok(ended.at - ended.createdAt >= 30_000);
    assert.equal(world.running, 'v1 ×2');
  }),
);

test(
  'a release that needs its time to become healthy has it, and as many answers in a row as are asked for',
  inWorld(async (world, engine) => {
    world.platform.behave(await world.id('v1'), { healthyAfterMs: 12_000 });
    const health = { path: '/health', intervalMs: 1_000, withinMs: 500, timeoutMs: 30_000, successes: 3 };
    const rollout = await world.deployed(engine, 'v1', { health });
    assert.ok(rollout.at - rollout.createdAt >= 14_000);
  }),
);

test(
  'validation that fails before the switch means that no traffic ever moved',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.answers('v2', '/ready', 500);
    const since = world.calls.length;
    const ended = await world.ended((await world.deploy(engine, 'v2')).id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.equal(ended.failure?.code, 'validation.failed');
    assert.match(ended.failure.message, /GET \/ready: .*500/);
    assert.deepEqual([...new Set(world.routings(since))], ['v1 100 %']);
  }),
);

test(
  'validation that fails behind the switch gives the traffic back, first of all',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.routerFault = ({ routes }) => {
      if (routes !== undefined && world.words(routes) === 'v2 100 %') world.answers('v2', '/ready', 500);
    };
    const ended = await world.ended((await world.deploy(engine, 'v2')).id);
    assert.equal(ended.status, 'ROLLED_BACK');
    const calls = world.calls.slice(world.calls.lastIndexOf('routes v2 100 %') + 1);
    assert.deepEqual(calls.slice(0, 4), ['routes v1 100 %', 'routes v1 100 %', 'drain', 'stop v2']);
  }),
);

test(
  'a first deployment that fails leaves nothing running and nothing routed',
  inWorld(async (world, engine) => {
    world.answers('v1', '/ready', 500);
    const ended = await world.ended((await world.deploy(engine, 'v1')).id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.equal(world.traffics, 'nothing');
    assert.equal(world.running, 'nothing');
    assert.equal((await world.state()).situation.stable, undefined);
    world.answers('v1', '/ready', 200);
    await world.deployed(engine, 'v1');
  }),
);

test(
  'a candidate that dies on trial ends the trial, when a controller looks after it',
  inWorld(async (world, engine) => {
    engine.attend();
    await world.deployed(engine, 'v1');
    const id = await world.id('v2');
    const rollout = await world.deploy(engine, 'v2', { strategy: canary, gates: [] });
    await world.reaches(rollout.id, 'CANARY_WAITING');
    const victim = world.platform.view().find((instance) => instance.release === id) ?? assert.fail();
    world.platform.write(victim.id, 'out of memory');
    world.platform.crash(victim.id, 'signal SIGKILL');
    const ended = await world.ended(rollout.id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.match(ended.reason ?? '', /ended by itself \(signal SIGKILL\)/);
    assert.deepEqual(ended.failure?.details?.['lastLines'], ['out of memory']);
    await engine.close('leave');
  }),
);

test(
  'an instance of stable that dies during a deployment is started again, and the deployment goes on',
  inWorld(async (world, engine) => {
    engine.attend();
    await world.deployed(engine, 'v1');
    const [victim] = world.platform.view();
    const rollout = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(rollout.id, 'CANARY_WAITING');
    world.platform.crash(victim?.id ?? '');
    const ended = await world.ended(rollout.id);
    assert.equal(ended.status, 'VERIFIED');
    assert.equal(world.platform.view().find(({ id }) => id === victim?.id)?.restarts, 1);
    await engine.close('leave');
  }),
);

test(
  'rolling that fails half way starts what is missing of stable again',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1', { instances: 3 });
    const rollout = await world.deploy(engine, 'v2', { strategy: { ...rolling, observeMs: 5_000 }, instances: 3 });
    await world.until('the second batch', () => world.running === 'v1 ×1, v2 ×2');
    world.errors('v2', 0.9);
    const ended = await world.ended(rollout.id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.equal(world.running, 'v1 ×3');
    const endpoints = world.router.inForce(scope)?.groups.find(({ share }) => share > 0)?.endpoints ?? [];
    assert.equal(endpoints.length, 3, 'all of them are in traffic');
  }),
);

test(
  'a router that does not answer while going back is tried for ever, and the deployment ends when it answers',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const rollout = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(rollout.id, 'CANARY_WAITING');
    let tries = 0;
    world.routerFault = ({ operation, phase }) => {
      if (operation !== 'apply' || phase !== 'before') return;
      tries += 1;
      throw new Failure('router.unreachable', 'the router does not answer', { remedy: 'Start it.' });
    };
    await world.command(engine, { kind: 'abort', reason: 'enough' });
    // Much longer than the deadline of the deployment.
    await world.pass(1_200_000);
    assert.equal((await world.rollout(rollout.id)).status, 'ROLLING_BACK');
    assert.equal(world.traffics, 'v1 90 %, v2 10 %');
    assert.ok(tries > 100, 'it goes on trying');
    const told = (await world.records(rollout.id)).filter(({ event }) => event.kind === 'effect-retried');
    assert.equal(told.length, 1, 'and tells it once, in the record');
    world.routerFault = undefined;
    const ended = await world.ended(rollout.id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.equal(world.traffics, 'v1 100 %');
    assert.equal(world.running, 'v1 ×2');
  }),
);

test(
  'a router that does not answer on the way forward is given up, and the deployment goes back',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const rollout = await world.deploy(engine, 'v2', { strategy: canary });
    world.routerFault = ({ operation, routes }) => {
      if (operation === 'apply' && world.words(routes).includes('v2'))
        throw new Failure('router.unreachable', 'the router does not answer', { remedy: 'Start it.' });
    };
    const ended = await world.ended(rollout.id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.equal(ended.failure?.code, 'router.unreachable');
    assert.equal(world.traffics, 'v1 100 %');
  }),
);

test(
  'a store that does not answer while going back does not keep the traffic from stable',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const rollout = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(rollout.id, 'CANARY_WAITING');
    world.storeFaults.before = ({ kind }) => {
      if (kind === 'commit') throw new Failure('store.unavailable', 'the disk is gone', { remedy: 'Mend it.' });
    };
    world.errors('v2', 1);
    await world.until('stable has all traffic', () => world.traffics === 'v1 100 %');
    assert.equal((await world.rollout(rollout.id)).course, 'forward', 'nothing of it could be written down');
    assert.ok(world.logged.some((line) => line.includes('the store does not take a change; trying again')));
    world.storeFaults.before = undefined;
    const ended = await world.ended(rollout.id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.equal(world.traffics, 'v1 100 %');
    assert.equal(world.running, 'v1 ×2');
  }),
);

test(
  'neither router nor store: going back is tried until both answer',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const rollout = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(rollout.id, 'CANARY_WAITING');
    const gone = (): never => {
      throw new Failure('store.unavailable', 'it is gone', { remedy: 'Mend it.' });
    };
    world.storeFaults.before = ({ kind }) => (kind === 'commit' ? gone() : undefined);
    world.routerFault = ({ operation }) => (operation === 'apply' ? gone() : undefined);
    world.errors('v2', 1);
    await world.pass(20_000);
    assert.ok(world.logged.some((line) => line.includes('going back without the store did not work')));
    world.storeFaults.before = undefined;
    world.routerFault = undefined;
    assert.equal((await world.ended(rollout.id)).status, 'ROLLED_BACK');
  }),
);

test(
  'a store that is full refuses a deployment with what is wrong, changes nothing and leaves the lease free',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const since = world.calls.length;
    world.storeFaults.before = ({ kind }) => {
      if (kind === 'commit') throw new Failure('store.full', 'no space left on the disk', { remedy: 'Free some.' });
    };
    const refusal = await world.refused(world.deploy(engine, 'v2'), 'store.full');
    assert.match(refusal.message, /no space left/);
    await world.pass(5_000);
    assert.deepEqual(world.calls.slice(since), []);
    const state = await world.state();
    assert.equal(state.active, undefined);
    assert.equal(state.lease, undefined, 'the lease is free');
    await world.result(engine.close('leave'));
    world.storeFaults.before = undefined;
    await world.deployed(world.controller().engine, 'v2');
  }),
);

test(
  'a person whose command cannot be kept is told so at once, and the deployment goes on',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const rollout = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(rollout.id, 'CANARY_WAITING');
    world.storeFaults.before = ({ kind }) => {
      if (kind === 'commit') throw new Failure('store.full', 'no space left on the disk', { remedy: 'Free some.' });
    };
    await world.refused(world.command(engine, { kind: 'pause', reason: 'lunch' }), 'store.full');
    world.storeFaults.before = undefined;
    assert.equal((await world.ended(rollout.id)).status, 'VERIFIED');
  }),
);

test(
  'a way back on which stable does not pass its validation is for a person',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const rollout = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(rollout.id, 'CANARY_WAITING');
    world.answers('v1', '/ready', 500);
    const ended = await world.ended((await world.command(engine, { kind: 'abort', reason: 'enough' })).id);
    assert.equal(ended.status, 'FAILED');
    assert.match(ended.reason ?? '', /going back did not succeed: validation of shop@/);
    assert.equal(world.traffics, 'v1 100 %', 'the traffic went back before anything was asked');
    assert.ok(ended.safeAt !== undefined);
  }),
);

test(
  'old instances that cannot be stopped after the promotion do not undo it, and are cleared away later',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.platformFault = ({ operation, moment }) => {
      if (operation === 'stop' && moment === 'before')
        throw new Failure('instance.command', 'they do not stop', { remedy: 'Wait.' });
    };
    const rollout = await world.deployed(engine, 'v2', { strategy: { ...blueGreen, keepOldMs: 0 } });
    assert.equal(rollout.status, 'VERIFIED');
    assert.equal(world.running, 'v1 ×2, v2 ×2');
    world.platformFault = undefined;
    const { instances } = await world.result(engine.prune({ actor, dryRun: false }));
    assert.equal(instances.length, 2);
    assert.equal(world.running, 'v2 ×2');
  }),
);

test(
  'on the way back stable is asked what its own specification asks',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.answers('v1', '/new', 404);
    const validation = [{ ...ready, url: '/new' }];
    const rollout = await world.deploy(engine, 'v2', { strategy: canary, validation });
    await world.reaches(rollout.id, 'CANARY_WAITING');
    const ended = await world.ended((await world.command(engine, { kind: 'abort', reason: 'enough' })).id);
    assert.deepEqual([ended.status, ended.reason], ['ROLLED_BACK', 'enough']);
  }),
);
