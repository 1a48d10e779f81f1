// Going back that does not succeed: what still serves users is not taken away from them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, rolling } from '../../test/engine/specs.ts';
import { inWorld } from '../../test/engine/world.ts';

test(
  'where stable cannot be brought up again, what serves goes on and is the release to go on from',
  inWorld(async (world, engine) => {
    engine.serve();
    const gone = { strategy: { ...blueGreen, keepOldMs: 0, observeMs: 60_000 } };
    await world.deployed(engine, 'v1', { strategy: { ...blueGreen, keepOldMs: 0 } });
    const { id } = await world.deploy(engine, 'v2', { ...gone, strategy: { ...rolling, observeMs: 60_000 } });
    await world.until('v2 serves alone', () => world.traffics === 'v2 100 %' && world.running === 'v2 ×2');
    world.platform.behave(await world.id('v1'), { crashesAtStart: 'exit code 1' });
    await world.command(engine, { kind: 'abort', reason: 'enough' });
    assert.equal((await world.ended(id)).status, 'FAILED');
    await world.pass(60_000);
    assert.deepEqual([world.traffics, world.running], ['v2 100 %', 'v2 ×2']);
    const { situation } = await world.state();
    assert.equal(world.version(situation.stable?.release.id ?? ''), 'v2');
    assert.equal(world.version(situation.earlier[0]?.release.id ?? ''), 'v1');
    await world.deployed(engine, 'v3');
    await world.result(engine.close('leave'));
  }),
);

test(
  'where only a part of stable is left, nothing is moved or stopped until the next deployment has ended',
  inWorld(async (world, engine) => {
    engine.serve();
    const changes = { instances: 3, minAvailable: 3 };
    await world.deployed(engine, 'v1', changes);
    const aborted = Promise.withResolvers<void>();
    world.platformFault = async ({ operation, moment, release }) => {
      if (operation !== 'ensure' || moment !== 'before' || world.version(release ?? '') !== 'v2') return;
      if (world.traffics.includes('v2')) await aborted.promise;
    };
    const { id } = await world.deploy(engine, 'v2', { ...changes, strategy: rolling });
    await world.until(
      'both serve',
      () => world.traffics.includes('v1') && world.traffics.includes('v2') && world.running.includes('v1 ×2'),
    );
    world.platform.behave(await world.id('v1'), { crashesAtStart: 'exit code 1' });
    await world.command(engine, { kind: 'abort', reason: 'enough' });
    aborted.resolve();
    assert.equal((await world.ended(id)).status, 'FAILED');
    const before = [world.traffics, world.running];
    assert.match(before.join(), /v1 .* v2 .*v1 ×2, v2/);
    await world.pass(60_000);
    assert.deepEqual([world.traffics, world.running], before);
    world.platformFault = undefined;
    world.platform.behave(await world.id('v1'), {});
    await world.deployed(engine, 'v3', { ...changes, minAvailable: 1 });
    assert.equal(world.traffics, 'v3 100 %');
    assert.equal((await world.state()).situation.leftBy, undefined);
    await world.result(engine.close('leave'));
  }),
);
