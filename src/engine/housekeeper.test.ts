import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, release, scope } from '../../test/engine/specs.ts';
import { actor, inWorld } from '../../test/engine/world.ts';

const cold = { strategy: { ...blueGreen, keepOldMs: 0 } };

test(
  'an instance of stable that ends by itself is started again',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1');
    const [victim] = world.platform.view();
    world.platform.crash(victim?.id ?? '');
    await world.until('it runs again', () => world.running === 'v1 ×2');
    assert.equal(world.platform.view().find(({ id }) => id === victim?.id)?.restarts, 1);
    assert.equal(world.traffics, 'v1 100 %');
    await world.result(engine.close('leave'));
  }),
);

test(
  'a stable release that comes back at another address is routed there before the look is over',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const [victim] = world.platform.view();
    for (const { id } of world.platform.view()) world.platform.crash(id);
    const list = world.platform.list.bind(world.platform);
    const elsewhere = { host: '127.0.0.1', port: 29_999 };
    world.platform.list = async (asked) =>
      (await list(asked)).map((each) =>
        each.id === victim?.id && each.state === 'running' ? { ...each, address: elsewhere } : each,
      );
    await world.result(engine.prune({ actor, dryRun: false }));
    const groups = world.router.inForce(scope)?.groups ?? [];
    assert.ok(groups.some(({ endpoints }) => endpoints.some(({ address }) => address.port === elsewhere.port)));
  }),
);

test(
  'a stable release that keeps ending is started again with growing pauses',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1');
    const since = world.calls.length;
    world.platform.behave(await world.id('v1'), { crashesAtStart: 'exit code 1' });
    for (const { id } of world.platform.view()) world.platform.crash(id);
    await world.pass(600_000);
    const starts = world.calls.slice(since).filter((call) => call === 'ensure v1').length;
    assert.ok(starts >= 10, `it goes on trying, ${starts} times`);
    assert.ok(starts <= 20, `but not at every look, ${starts} times`);
    world.platform.behave(await world.id('v1'), {});
    await world.until('it runs again', () => world.running === 'v1 ×2');
    await world.result(engine.close('leave'));
  }),
);

test(
  'a warm release is let go when its time is over, and not before',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1');
    const { at } = await world.deployed(engine, 'v2');
    await world.pass(blueGreen.keepOldMs - 2_000);
    assert.equal(world.running, 'v1 ×2, v2 ×2');
    await world.until('it is gone', () => world.running === 'v2 ×2');
    assert.ok(world.clock.now() >= at + blueGreen.keepOldMs);
    assert.ok(world.clock.now() <= at + blueGreen.keepOldMs + 5_000, 'soon after');
    const { situation } = await world.state();
    assert.equal(situation.warm, undefined);
    assert.equal(world.version(situation.earlier[0]?.release.id ?? ''), 'v1', 'it can still be gone back to');
    await world.result(engine.close('leave'));
  }),
);

test(
  'a warm release of the deployment before last is let go by the next one',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    await world.deployed(engine, 'v2');
    await world.deployed(engine, 'v3');
    await world.until('v1 is gone', () => world.running === 'v2 ×2, v3 ×2');
  }),
);

test(
  'instances that nothing refers to are stopped, and what belongs to another scope is not touched',
  inWorld(async (world, engine) => {
    const staging = { ...scope, environment: 'staging' };
    await world.deployed(engine, 'v1');
    const group = { release: release('lost'), deployment: 'd-dead', instances: 1 };
    await world.platform.ensure({ ...group, scope });
    await world.platform.ensure({ ...group, scope: staging });
    engine.serve();
    await world.until(
      'the orphan is gone',
      () => world.platform.view().filter((each) => each.scope.environment === scope.environment).length === 2,
    );
    await world.pass(30_000);
    assert.equal(world.platform.view().filter((each) => each.scope.environment === 'staging').length, 1);
    assert.equal(world.running, 'v1 ×2, shop@lost ×1');
    await world.result(engine.close('leave'));
  }),
);

test(
  'orphans are not looked for while a deployment is under way',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    await world.pass(8_000);
    assert.equal(world.running, 'v1 ×2, v2 ×2');
    await world.ended(id);
    await world.result(engine.close('leave'));
  }),
);

test(
  'a router that forgot its routes has them again',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1');
    world.router.forget(scope);
    assert.equal(world.traffics, 'nothing');
    await world.until('the routes are back', () => world.traffics === 'v1 100 %');
    await world.result(engine.close('leave'));
  }),
);

test(
  'housekeeping gives way to a deployment that somebody asks for',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1', cold);
    await world.platform.ensure({ scope, release: release('lost'), deployment: 'd-dead', instances: 1 });
    world.platform.behave('shop@lost', { endsAfterMs: 2_000 });
    await world.until('the orphan is being stopped', async () => (await world.state()).lease !== undefined);
    await world.deployed(engine, 'v2', cold);
    assert.equal(world.traffics, 'v2 100 %');
    await world.result(engine.close('leave'));
  }),
);

test(
  'what earlier deployments left is cleared away beside the next one, and its release is kept so long',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1', cold);
    const lost = { ...release('lost'), artifact: await world.releases.identify(world.spec('lost').source) };
    await world.releases.stage(lost, world.spec('lost').source);
    const { id } = await world.deploy(engine, 'v2', {
      strategy: { ...blueGreen, observeMs: 600_000 },
      keepReleases: 0,
    });
    await world.platform.ensure({ scope, release: lost, deployment: 'd-dead', instances: 1 });
    await world.until('the orphan is gone', async () =>
      (await world.platform.list(scope)).every((instance) => instance.release !== lost.id),
    );
    assert.notEqual((await world.state()).active, undefined, 'the deployment is still under way');
    await world.ended(id);
    await world.result(engine.close('leave'));
  }),
);

test(
  'what is still being cleared away when a deployment ends is ended before its controller leaves',
  inWorld(async (world, engine) => {
    engine.attend();
    await world.deployed(engine, 'v1', cold);
    let drains = 0;
    world.routerFault = async ({ operation, phase }) => {
      // The first is that of what was left.
      if (operation === 'drain' && phase === 'before' && drains++ === 0) await world.clock.sleep(60_000);
    };
    const { id } = await world.deploy(engine, 'v2', { strategy: { ...cold.strategy, observeMs: 5_000 } });
    await world.platform.ensure({ scope, release: release('lost'), deployment: 'd-dead', instances: 1 });
    await world.ended(id);
    assert.match(world.running, /lost/);
    await world.result(engine.close('leave'));
    assert.equal(world.running, 'v2 ×2');
  }),
);

test(
  'one failing look keeps nobody from the next',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1');
    const [victim] = world.platform.view();
    world.platformFault = ({ operation }) => {
      if (operation === 'list') throw new Error('the platform is gone');
    };
    world.platform.crash(victim?.id ?? '');
    await world.pass(5_000);
    assert.ok(world.logged.some((line) => line.includes('housekeeping did not work; it is tried again')));
    world.platformFault = undefined;
    await world.until('it runs again', () => world.running === 'v1 ×2');
    await world.result(engine.close('leave'));
  }),
);

test(
  'prune keeps stable, the last known good release and as many besides as the specification says',
  inWorld(async (world, engine) => {
    const keep = { ...cold, keepReleases: 100 };
    for (const version of ['v1', 'v2', 'v3', 'v4', 'v5']) {
      await world.deployed(engine, version, version === 'v5' ? { ...cold, keepReleases: 1 } : keep);
      await world.pass(1_000);
    }
    const kept = async (): Promise<readonly string[]> =>
      (await world.releases.list('shop')).map(({ id }) => world.version(id)).toSorted();
    assert.deepEqual(await kept(), ['v3', 'v4', 'v5'], 'stable, last known good, and one more');
    await world.ended((await world.rollback(engine)).id);
    assert.equal(world.traffics, 'v4 100 %');
  }),
);

test(
  'a dry run of prune names what would go and removes nothing',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const lost = { ...release('lost'), artifact: await world.releases.identify(world.spec('lost').source) };
    await world.releases.stage(lost, world.spec('lost').source);
    for (const version of ['a', 'b', 'c']) {
      const { source } = world.spec(version);
      await world.releases.stage({ ...release(version), artifact: await world.releases.identify(source) }, source);
    }
    await world.platform.ensure({ scope, release: lost, deployment: 'd-dead', instances: 2 });
    const dry = await world.result(engine.prune({ actor, dryRun: true, scope }));
    assert.equal(dry.releases.length, 2);
    assert.ok(dry.releases.every(({ bytes }) => bytes > 0));
    assert.equal(dry.instances.length, 2);
    assert.equal((await world.releases.list('shop')).length, 5);
    const real = await world.result(engine.prune({ actor, dryRun: false }));
    assert.deepEqual({ ...real, dryRun: true }, dry);
    assert.equal((await world.releases.list('shop')).length, 3);
    assert.equal(world.running, 'v1 ×2');
  }),
);

test(
  'prune of another scope touches nothing here',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const answer = await world.result(
      engine.prune({ actor, dryRun: false, scope: { service: 'other', environment: 'production' } }),
    );
    assert.deepEqual([answer.releases, answer.instances], [[], []]);
  }),
);
