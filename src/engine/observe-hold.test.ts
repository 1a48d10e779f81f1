import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canary } from '../../test/engine/specs.ts';
import { inWorld } from '../../test/engine/world.ts';

test(
  'a stage whose gates pass lasts as long as it must, and not until somebody happens to look',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    // No multiple of the time between two looks.
    const stages = [{ share: 1_000, holdMs: 10_130, requests: 20 }, ...canary.stages.slice(-1)];
    const { id } = await world.deployed(engine, 'v2', { strategy: { ...canary, stages } });
    const at = new Map((await world.records(id)).map((record) => [record.to, record.at]));
    const begun = (await world.records(id)).find((record) => record.to === 'CANARY_WAITING')?.at ?? 0;
    assert.equal((at.get('PROMOTING') ?? 0) - begun, 10_130);
  }),
);

test(
  'a verdict that falls while another one is being recorded is recorded right behind it',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    // The store takes longer for one change than the release needs to show that it is bad.
    const commit = Promise.withResolvers<void>();
    let held = 0;
    world.storeFaults.before = async (call) => {
      if (call.kind === 'commit' && (held += 1) === 1) await commit.promise;
    };
    await world.until('a verdict waits for the store', () => held > 0);
    world.errors('v2', 1);
    await world.pass(5_000);
    const saidAt = world.clock.now();
    commit.resolve();
    await world.ended(id);
    const wentBack = (await world.records(id)).find((record) => record.to === 'ROLLING_BACK');
    assert.equal(wentBack?.at, saidAt, 'at once');
  }),
);
