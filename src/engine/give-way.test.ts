import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld } from '../../test/engine/world.ts';

test(
  'a rollback does not wait for an old instance that takes long to end',
  inWorld(async (world, engine) => {
    const slow = { stopGraceMs: 60_000 };
    await world.deployed(engine, 'v1', slow);
    world.platform.behave(await world.id('v1'), { endsAfterMs: 50_000 });
    await world.deployed(engine, 'v2', slow);
    await world.deployed(engine, 'v3', slow);
    // Nothing refers to v1 any more, and it is being ended.
    await world.pass(1_000);
    assert.equal(world.running, 'v1 ×2, v2 ×2, v3 ×2');

    const begunAt = world.clock.now();
    const { id } = await world.rollback(engine);
    await world.until('the switch', () => world.traffics === 'v2 100 %');
    assert.equal(world.clock.now(), begunAt, 'at once');
    await world.ended(id);
    await world.until('v1 has ended all the same', () => world.running === 'v2 ×2');
  }),
);
