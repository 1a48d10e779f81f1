import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, scope } from '../../test/engine/specs.ts';
import { actor, inWorld } from '../../test/engine/world.ts';

const cold = { strategy: { ...blueGreen, keepOldMs: 0 } };

test(
  'a rollback to a warm release is one switch, with nothing started before it',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    await world.deployed(engine, 'v2');
    const since = world.calls.length;
    const begunAt = world.clock.now();
    const rollout = await world.rollback(engine);
    await world.until('the switch', () => world.traffics === 'v1 100 %');
    assert.equal(world.clock.now(), begunAt, 'at once');
    assert.deepEqual(world.calls.slice(since, since + 1), ['routes v1 100 %']);
    const ended = await world.ended(rollout.id);
    assert.equal(ended.status, 'VERIFIED');
    assert.equal(ended.plan.strategy, 'rollback');
    assert.deepEqual(
      world.calls.slice(since).filter((call) => call.startsWith('ensure')),
      [],
    );
    assert.equal(world.running, 'v1 ×2', 'what was left is not kept');
    assert.equal(world.version((await world.state()).situation.stable?.release.id ?? ''), 'v1');
  }),
);

test(
  'a rollback to a cold release starts and validates it first, from the copy in the release store',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1', cold);
    await world.deployed(engine, 'v2', cold);
    world.releases.put('/src/v1', { 'server.js': 'something else by now' });
    const since = world.calls.length;
    const ended = await world.ended((await world.rollback(engine)).id);
    assert.equal(ended.status, 'VERIFIED');
    assert.deepEqual(
      world.calls.slice(since).filter((call, index, all) => call !== all[index - 1]),
      ['ensure v1', 'routes v2 100 %', 'routes v1 100 %', 'drain', 'stop v2'],
    );
    assert.equal(world.running, 'v1 ×2');
  }),
);

test(
  'a warm release that has too few instances left is started like a cold one',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1', { minAvailable: 2 });
    await world.deployed(engine, 'v2', { minAvailable: 2 });
    const id = await world.id('v1');
    world.platform.crash(world.platform.view().find(({ release }) => release === id)?.id ?? '');
    const rollout = await world.ended((await world.rollback(engine)).id);
    assert.equal(rollout.status, 'VERIFIED');
    assert.equal(rollout.plan.steps[0]?.step.kind, 'start');
    assert.equal(world.running, 'v1 ×2');
  }),
);

test(
  'a second rollback goes further back, never to the release that was left',
  inWorld(async (world, engine) => {
    for (const version of ['v1', 'v2', 'v3']) await world.deployed(engine, version, cold);
    await world.ended((await world.rollback(engine)).id);
    assert.equal(world.traffics, 'v2 100 %');
    await world.ended((await world.rollback(engine)).id);
    assert.equal(world.traffics, 'v1 100 %');
    const refusal = await world.refused(world.rollback(engine), 'rollback.nothing');
    assert.match(refusal.message, /no earlier release/);
  }),
);

test(
  'a release is named by its id, its label or the beginning of its digest',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1', { ...cold, keepReleases: 5 });
    const id = await world.id('v1');
    const digits = id.slice('shop@'.length);
    await world.deployed(engine, 'v2', { ...cold, keepReleases: 5 });
    await world.deployed(engine, 'v3', { ...cold, keepReleases: 5 });
    for (const to of [id, 'v1', digits.slice(0, 4), digits]) {
      const { plan } = await engine.planRollback({ scope, reason: 'a look', actor, to });
      assert.equal(plan.candidate.id, id, to);
    }
    await world.refused(world.rollback(engine, digits.slice(0, 3)), 'release.unknown');
    const ended = await world.ended((await world.rollback(engine, 'v1')).id);
    assert.equal(ended.status, 'VERIFIED');
    assert.equal(world.traffics, 'v1 100 %');
  }),
);

test(
  'a release that is no longer remembered is found in history, even the one that was rolled back from',
  inWorld(async (world, engine) => {
    const many = { ...cold, keepReleases: 5 };
    await world.deployed(engine, 'v1', many);
    await world.deployed(engine, 'v2', many);
    await world.ended((await world.rollback(engine)).id);
    const ended = await world.ended((await world.rollback(engine, 'v2')).id);
    assert.equal(ended.status, 'VERIFIED');
    assert.equal(world.traffics, 'v2 100 %');
  }),
);

test(
  'there is nothing to go back to before a deployment, and behind the first one',
  inWorld(async (world, engine) => {
    await world.refused(world.rollback(engine), 'rollback.nothing');
    await world.deployed(engine, 'v1');
    await world.refused(world.rollback(engine), 'rollback.nothing');
    assert.equal((await world.state()).lease, undefined);
  }),
);

test(
  'an unknown release, the stable one, and one that failed on trial are refused by name',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.answers('v2', '/ready', 500);
    await world.ended((await world.deploy(engine, 'v2')).id);
    const unknown = await world.refused(world.rollback(engine, 'v9'), 'release.unknown');
    assert.match(unknown.message, /no release v9 was ever stable/);
    await world.refused(world.rollback(engine, 'v2'), 'release.unknown');
    const same = await world.refused(world.rollback(engine, 'v1'), 'rollback.nothing');
    assert.match(same.message, /is the stable release of shop\/production already/);
  }),
);

test(
  'a release whose files are gone is refused, unless it still runs warm',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    await world.deployed(engine, 'v2');
    await world.releases.remove(await world.id('v1'));
    assert.equal((await world.ended((await world.rollback(engine)).id)).status, 'VERIFIED');
    await world.releases.remove(await world.id('v2'));
    const refusal = await world.refused(world.rollback(engine, 'v2'), 'release.gone');
    assert.match(refusal.message, /no longer in the release store/);
  }),
);

test(
  'a rollback during a deployment ends the deployment',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    const going = await world.rollback(engine);
    assert.deepEqual([going.id, going.status], [id, 'ROLLING_BACK']);
    const ended = await world.ended(id);
    assert.deepEqual([ended.status, ended.reason], ['ROLLED_BACK', 'a person said so']);
  }),
);

test(
  'a rollback to a named release during a deployment is refused like any second deployment',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.refused(world.rollback(engine, 'v1'), 'deployment.locked');
    await world.ended(id);
  }),
);

test(
  'a cold release that does not come up leaves the traffic where it is',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1', cold);
    await world.deployed(engine, 'v2', cold);
    world.platform.behave(await world.id('v1'), { crashesAtStart: 'exit code 1' });
    const ended = await world.ended((await world.rollback(engine)).id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.equal(world.traffics, 'v2 100 %');
    assert.equal(world.running, 'v2 ×2');
  }),
);

test(
  'a rollback that fails behind its switch is for a person, and until one has looked nothing moves the traffic',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1', cold);
    await world.deployed(engine, 'v2', cold);
    world.routerFault = ({ routes }) => {
      if (routes !== undefined && world.words(routes) === 'v1 100 %') world.answers('v1', '/ready', 500);
    };
    const ended = await world.ended((await world.rollback(engine)).id);
    assert.equal(ended.status, 'FAILED');
    assert.match(ended.reason ?? '', /the release that was gone back to does not pass/);
    await world.pass(120_000);
    assert.equal(world.traffics, 'v1 100 %');
    assert.equal(world.running, 'v1 ×2');
    await world.deployed(engine, 'v3', cold);
    await world.result(engine.close('leave'));
  }),
);

test(
  'the release that is gone back to runs with as many instances as are wanted now',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1', { ...cold, instances: 1 });
    await world.deployed(engine, 'v2', { ...cold, instances: 3, minAvailable: 2 });
    await world.ended((await world.rollback(engine)).id);
    assert.equal(world.running, 'v1 ×3');
  }),
);

test(
  'a plan of a rollback changes nothing',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    await world.deployed(engine, 'v2');
    const since = world.calls.length;
    const { plan } = await engine.planRollback({ scope, reason: 'a look', actor });
    assert.equal(plan.strategy, 'rollback');
    assert.deepEqual(world.calls.slice(since), []);
    assert.equal(world.traffics, 'v2 100 %');
  }),
);
