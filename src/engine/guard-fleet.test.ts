// What is looked after while a deployment is under way.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope } from '../../test/engine/specs.ts';
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
