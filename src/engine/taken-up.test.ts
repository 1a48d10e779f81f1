// Commands that arrive while a controller is still taking up what another one left.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scope } from '../../test/engine/specs.ts';
import { actor, inWorld } from '../../test/engine/world.ts';

test(
  'a command that comes while its deployment is being taken up is carried out, not told of a lock that is its own',
  inWorld(async (world) => {
    const id = await world.abandoned();
    const { engine } = world.controller();
    const [taken, paused] = await world.result(
      Promise.all([engine.recover('take-up'), engine.command(scope, { kind: 'pause', reason: 'lunch' }, { actor })]),
    );
    assert.deepEqual(
      taken.map((rollout) => rollout.id),
      [id],
    );
    assert.equal(paused.status, 'PAUSED');
    await world.command(engine, { kind: 'resume' });
    assert.equal((await world.ended(id)).status, 'VERIFIED');
  }),
);
