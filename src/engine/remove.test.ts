// Taking a service away: in which order, what stays known, and that whoever begins it need not be the one who ends it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../base/failure.ts';
import { canary, release, scope } from '../../test/engine/specs.ts';
import { actor, type EngineWorld, inWorld } from '../../test/engine/world.ts';
import type { Engine } from './engine.ts';

const order = { scope, actor, reason: 'nobody uses it' };

/** Nothing of the service runs or is routed, and nobody brings it back. */
async function gone(world: EngineWorld): Promise<void> {
  assert.deepEqual([world.running, world.traffics], ['nothing', 'nothing']);
  assert.equal(world.router.inForce(scope), undefined);
  const { situation } = await world.state();
  assert.equal(situation.removal?.finished, true);
  assert.deepEqual([situation.stable, situation.warm, situation.watch], [undefined, undefined, undefined]);
}

async function twoDeployed(world: EngineWorld, engine: Engine): Promise<void> {
  await world.deployed(engine, 'v1');
  await world.deployed(engine, 'v2');
}

/** The router does not let go; all the rest is gone. */
async function removedHalfWay(world: EngineWorld, engine: Engine): Promise<void> {
  world.routerFault = ({ operation }) => {
    if (operation === 'remove') throw new Failure('router.refused', 'it will not', { remedy: 'Look.' });
  };
  await world.refused(engine.remove(order), 'router.refused');
}

test(
  'traffic ends first, then the instances, then the router’s part; and the order is recorded',
  inWorld(async (world, engine) => {
    engine.serve();
    await twoDeployed(world, engine);
    const since = world.calls.length;
    const answer = await world.result(engine.remove(order));
    const calls = world.calls.slice(since);
    assert.deepEqual(calls, ['routes nothing', 'drain', ...calls.slice(2, 4), 'remove']);
    assert.deepEqual(calls.slice(2, 4).toSorted(), ['stop v1', 'stop v2']);
    assert.equal(answer.instances.length, 4);
    assert.deepEqual(answer.releases.map((id) => world.version(id)).toSorted(), ['v1', 'v2']);
    await gone(world);
    await world.pass(120_000);
    await gone(world);
    const [newest] = await world.store.rollouts({ scope, limit: 1 });
    const record = (await world.records(newest?.id ?? '')).at(-1);
    assert.deepEqual([record?.event.kind, record?.actor, record?.to], ['removed', actor, 'VERIFIED']);
    assert.match(record?.words ?? '', /nobody uses it/);
    await world.result(engine.close('leave'));
  }),
);

test(
  'it may be asked again, and what is deployed afterwards can go back to what was good before',
  inWorld(async (world, engine) => {
    await twoDeployed(world, engine);
    await world.result(engine.remove(order));
    const { situation } = await world.state();
    const again = await world.result(engine.remove({ ...order, actor: 'bob@desk' }));
    assert.deepEqual(again, { instances: [], releases: [] });
    assert.deepEqual((await world.state()).situation, situation, 'who took it away stays known');
    await gone(world);
    const nothing = await world.refused(engine.rollback({ ...order, to: undefined }), 'rollback.nothing');
    assert.match(nothing.message, /taken away/);
    const { plan } = await world.deployed(engine, 'v3');
    assert.equal(plan.strategy, 'first');
    assert.equal((await world.state()).situation.removal, undefined);
    assert.equal(world.traffics, 'v3 100 %');
    const back = await world.ended((await world.rollback(engine)).id);
    assert.deepEqual([back.status, world.traffics], ['VERIFIED', 'v2 100 %']);
  }),
);

test(
  'a deployment under way is not taken away under its controller’s hands',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    await world.refused(engine.remove(order), 'deployment.locked');
    await world.refused(world.controller().engine.remove(order), 'deployment.locked');
    assert.equal((await world.ended(id)).status, 'VERIFIED');
    assert.equal((await world.state()).situation.removal, undefined);
  }),
);

test(
  'one that a dead controller left goes back first',
  inWorld(async (world) => {
    const id = await world.abandoned();
    await world.result(world.controller().engine.remove(order));
    assert.equal((await world.rollout(id)).status, 'ROLLED_BACK');
    await gone(world);
  }),
);

test(
  'where nothing was ever deployed there is nothing to take away',
  inWorld(async (world, engine) => {
    await world.refused(engine.remove(order), 'service.unknown');
  }),
);

test(
  'a service whose first deployment failed is taken away as well',
  inWorld(async (world, engine) => {
    world.platform.behave(await world.id('v1'), { crashesAtStart: 'exit code 1' });
    assert.equal((await world.ended((await world.deploy(engine, 'v1')).id)).status, 'ROLLED_BACK');
    await world.result(engine.remove(order));
    await gone(world);
  }),
);

test(
  'a controller that is killed after any step has its work ended by the next one',
  inWorld(async (world) => {
    for (let calls = 0; ; calls += 1) {
      const healthy = world.controller();
      await world.deployed(healthy.engine, `v${calls}`);
      const killed = world.controller();
      let answered = false;
      void killed.engine.remove(order).then(() => (answered = true));
      killed.crashAfter(calls);
      await world.until('it has gone as far as it comes', () => answered || killed.dead);
      killed.crash();
      world.declareDead(killed);
      if (answered) break;
      const { situation } = await world.state();
      const { engine } = world.controller();
      engine.serve();
      if (situation.removal !== undefined) {
        await world.until('it is gone', async () => (await world.state()).situation.removal?.finished === true);
        await gone(world);
      }
      await world.result(engine.close('leave'));
    }
    await gone(world);
  }),
);

test(
  'a router that does not answer keeps no instance running, and is asked until it has let go',
  inWorld(async (world, engine) => {
    await twoDeployed(world, engine);
    world.routerFault = ({ operation }) => {
      if (operation === 'check') return;
      throw new Failure('router.unreachable', 'it does not answer', { remedy: 'Start it.' });
    };
    await world.refused(engine.remove(order), 'router.unreachable');
    assert.equal(world.running, 'nothing');
    assert.equal((await world.state()).situation.removal?.finished, false);
    engine.serve();
    await world.pass(30_000);
    assert.equal((await world.state()).situation.removal?.finished, false);
    world.routerFault = undefined;
    await world.until('it is gone', async () => (await world.state()).situation.removal?.finished === true);
    await gone(world);
    await world.result(engine.close('leave'));
  }),
);

test(
  'what is deployed before a removal is through is not taken away',
  inWorld(async (world, engine) => {
    await twoDeployed(world, engine);
    await removedHalfWay(world, engine);
    world.routerFault = undefined;
    await world.deployed(engine, 'v3');
    engine.serve();
    await world.pass(60_000);
    assert.deepEqual([world.running, world.traffics], ['v3 ×2', 'v3 100 %']);
    await world.result(engine.close('leave'));
  }),
);

/** The first call of this kind is over only when it is let go. */
function holdBack(world: EngineWorld, operation: 'stop' | 'drain') {
  const letGo = Promise.withResolvers<undefined>();
  let reached = false;
  const wait = async (asked: string, moment: string): Promise<void> => {
    if (asked !== operation || moment !== 'after' || reached) return;
    reached = true;
    await letGo.promise;
  };
  world.routerFault = ({ operation: asked, phase }) => wait(asked, phase);
  world.platformFault = ({ operation: asked, moment }) => wait(asked, moment);
  return { isReached: () => reached, letGo: () => letGo.resolve(undefined) };
}

for (const operation of ['drain', 'stop'] as const) {
  test(
    `one that was frozen behind its ${operation} leaves alone what was deployed meanwhile`,
    inWorld(async (world) => {
      const [frozen, other] = [world.controller(), world.controller()];
      await world.deployed(frozen.engine, 'v1');
      const held = holdBack(world, operation);
      const removing = frozen.engine.remove(order).then(
        () => 'done',
        (error: unknown) => (error instanceof Failure ? error.code : String(error)),
      );
      await world.until('it is in the middle of it', held.isReached);
      frozen.freeze(60_000);
      world.declareDead(frozen);
      await world.deployed(other.engine, 'v1');
      held.letGo();
      await world.pass(90_000);
      assert.equal(await removing, 'lease.lost');
      assert.deepEqual([world.running, world.traffics], ['v1 ×2', 'v1 100 %']);
    }),
  );
}

test(
  'what came back after a removal is taken away again, also where the router cannot say that it is there',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1');
    const routes = world.router.inForce(scope);
    assert.ok(routes !== undefined);
    await world.result(engine.remove(order));
    await world.router.apply(routes);
    world.routerFault = ({ operation }) => {
      if (operation === 'read') throw new Failure('router.unreachable', 'it does not answer', { remedy: 'Start it.' });
    };
    await world.until('it is gone again', () => world.router.inForce(scope) === undefined);
    await gone(world);
    world.routerFault = ({ operation }) => {
      if (operation === 'read') throw new Failure('router.include', 'it is somebody else’s', { remedy: 'Look.' });
    };
    const tries = world.calls.filter((call) => call === 'remove').length;
    await world.pass(3_600_000 / 4);
    assert.ok(world.calls.filter((call) => call === 'remove').length < tries + 30, 'with growing pauses');
    await world.result(engine.close('leave'));
  }),
);

test(
  'somebody who deploys does not wait for a removal that another one left, and is no failure of it',
  inWorld(async (world, engine) => {
    await twoDeployed(world, engine);
    await removedHalfWay(world, engine);
    const held = holdBack(world, 'drain');
    engine.serve();
    world.platformFault = undefined;
    await world.platform.ensure({ scope, release: release('late'), deployment: 'd-dead', instances: 1 });
    await world.until('it goes on with it', held.isReached);
    const { id } = await world.deploy(engine, 'v3');
    held.letGo();
    assert.equal((await world.ended(id)).status, 'VERIFIED');
    assert.deepEqual(
      world.logged.filter((line) => line.startsWith('error')),
      [],
    );
    await world.result(engine.close('leave'));
  }),
);

test(
  'copies of releases stay also where what is deployed afterwards fails',
  inWorld(async (world, engine) => {
    for (const version of ['v1', 'v2', 'v3']) await world.deployed(engine, version, { keepReleases: 5 });
    await world.result(engine.remove(order));
    world.platform.behave(await world.id('v4'), { crashesAtStart: 'exit code 1' });
    const { id } = await world.deploy(engine, 'v4', { keepReleases: 5 });
    assert.equal((await world.ended(id)).status, 'ROLLED_BACK');
    await world.result(engine.prune({ actor, dryRun: false }));
    await world.deployed(engine, 'v5', { keepReleases: 5 });
    const back = await world.rollback(engine, await world.id('v1'));
    assert.equal((await world.ended(back.id)).status, 'VERIFIED');
  }),
);

test(
  'what is gone keeps nobody from pruning, wherever it was',
  inWorld(async (world, engine) => {
    for (const version of ['v1', 'v2', 'v3']) await world.deployed(engine, version, { keepReleases: 1 });
    await world.result(engine.remove(order));
    world.platformFault = ({ operation }) => {
      if (operation === 'list')
        throw new Failure('platform.unreachable', 'it is switched off', { remedy: 'Start it.' });
    };
    const { instances } = await world.result(engine.prune({ actor, dryRun: false }));
    assert.deepEqual(instances, []);
  }),
);

test(
  'until a removal is through nothing is deployed where nobody would look for the rest',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    await removedHalfWay(world, engine);
    const platform = { driver: 'process' } as const;
    const elsewhere = engine.plan({ spec: world.spec('v2', { platform }), actor });
    assert.match((await world.refused(elsewhere, 'plan.unsupported')).remedy, /sluice remove/);
    // Where it lies in the same place its settings may be corrected, which may be what it failed for.
    await world.result(engine.plan({ spec: world.spec('v2'), actor }));
    world.routerFault = undefined;
    await world.result(engine.remove(order));
    await world.result(engine.plan({ spec: world.spec('v2', { platform }), actor }));
  }),
);
