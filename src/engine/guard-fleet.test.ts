// What is looked after while a deployment is under way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canary, scope } from '../../test/engine/specs.ts';
import { inWorld } from '../../test/engine/world.ts';

test(
  'a router that takes its time with the first routes has not lost them',
  inWorld(async (world, engine) => {
    engine.attend();
    world.routerFault = async ({ operation, phase }) => {
      if (operation === 'apply' && phase === 'before') await world.clock.sleep(8_000);
    };
    const { id } = await world.deploy(engine, 'v1');
    assert.equal((await world.ended(id)).status, 'VERIFIED');
    const kinds = (await world.records(id)).map((record) => record.event.kind);
    assert.ok(!kinds.includes('fleet-changed'), kinds.join(' '));
    assert.equal(world.router.inForce(scope)?.groups.length, 1);
    await world.result(engine.close('leave'));
  }),
);

test(
  'an instance of stable that ended has no traffic where another copy fills its place',
  inWorld(async (world, engine) => {
    engine.attend();
    await world.deployed(engine, 'v1');
    const { id, plan } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    assert.ok(plan.stable !== undefined);
    const [victim] = world.platform.view();
    // A copy that a crash left: with it there are as many as there should be, and nobody starts the dead one again.
    await world.platform.ensure({ scope, release: plan.stable, deployment: id, instances: 3 });
    world.platform.crash(victim?.id ?? '');
    const routed = () => (world.router.inForce(scope)?.groups ?? []).flatMap(({ endpoints }) => endpoints);
    await world.until('it is out of traffic', () => !routed().some(({ instance }) => instance === victim?.id));
    const serving = (await world.rollout(id)).fleet.stable.serving.map(({ instance }) => instance);
    assert.equal(serving.length, 2);
    assert.ok(!serving.includes(victim?.id ?? ''));
    await world.command(engine, { kind: 'abort', reason: 'enough' });
    await world.ended(id);
    await world.result(engine.close('leave'));
  }),
);
