// What is said to be warm really runs.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen } from '../../test/engine/specs.ts';
import { inWorld } from '../../test/engine/world.ts';

test(
  'a rollback to a warm release that is aborted leaves nothing warm, because it stops that release',
  inWorld(async (world, engine) => {
    const strategy = { ...blueGreen, keepOldMs: 3_600_000 };
    await world.deployed(engine, 'v1', { strategy });
    await world.deployed(engine, 'v2', { strategy });
    assert.equal((await world.state()).situation.warm?.placement.release.label, 'v1');
    // Slow enough to be aborted in the middle of its only switch.
    world.routerFault = () => world.clock.sleep(500);
    const { id } = await world.rollback(engine);
    await world.command(engine, { kind: 'abort', reason: 'not that one' });
    assert.equal((await world.ended(id)).status, 'ROLLED_BACK');
    world.routerFault = undefined;
    await world.until('only v2 runs', () => world.running === 'v2 ×2');
    assert.equal(world.traffics, 'v2 100 %');
    assert.equal((await world.state()).situation.warm, undefined);
    const again = await world.rollback(engine);
    assert.equal((await world.ended(again.id)).status, 'VERIFIED');
    assert.equal(world.traffics, 'v1 100 %');
  }),
);
