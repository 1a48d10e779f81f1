import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canary, fewErrors, scope } from '../../test/engine/specs.ts';
import { inWorld, type EngineWorld } from '../../test/engine/world.ts';
import { Failure } from '../base/failure.ts';
import type { Engine } from './engine.ts';

const watch = { forMs: 300_000, checks: [fewErrors], healthFailingMs: 20_000 };

/** A server with v1 behind v2, watched. */
async function promoted(world: EngineWorld, engine: Engine): Promise<void> {
  engine.serve();
  await world.deployed(engine, 'v1', { watch });
  await world.deployed(engine, 'v2', { watch });
  await world.pass(5_000);
}

async function newest(world: EngineWorld) {
  const [rollout] = await world.store.rollouts({ scope, limit: 1 });
  return rollout ?? assert.fail('nothing was deployed');
}

test(
  'a promoted release that begins to fail is rolled back by itself, with the reason',
  inWorld(async (world, engine) => {
    await promoted(world, engine);
    world.errors('v2', 0.9);
    await world.until('the rollback', async () => (await newest(world)).plan.strategy === 'rollback');
    const ended = await world.ended((await newest(world)).id);
    assert.equal(ended.status, 'VERIFIED');
    assert.equal(ended.createdBy, 'sluice');
    assert.equal(world.traffics, 'v1 100 %');
    const [started] = await world.records(ended.id);
    assert.match(started?.words ?? '', /turned bad after its promotion: error rate is .* allowed is at most 20 %/);
    await world.result(engine.close('leave'));
  }),
);

test(
  'a release that was good for long is judged by what it does now',
  inWorld(async (world, engine) => {
    await promoted(world, engine);
    await world.pass(200_000);
    const turnedAt = world.clock.now();
    world.errors('v2', 0.9);
    await world.until('the traffic is back', () => world.traffics === 'v1 100 %');
    assert.ok(world.clock.now() - turnedAt < 30_000);
    await world.result(engine.close('leave'));
  }),
);

test(
  'a promoted release whose health fails for too long is rolled back, one that recovers in time is not',
  inWorld(async (world, engine) => {
    await promoted(world, engine);
    const id = await world.id('v2');
    world.platform.behave(id, { unhealthy: true });
    await world.pass(15_000);
    world.platform.behave(id, {});
    await world.pass(60_000);
    assert.equal(world.traffics, 'v2 100 %');
    world.platform.behave(id, { unhealthy: true });
    await world.until('the traffic is back', () => world.traffics === 'v1 100 %');
    const [started] = await world.records((await newest(world)).id);
    assert.match(started?.words ?? '', /health has been failing for 2\ds/);
    await world.result(engine.close('leave'));
  }),
);

test(
  'after its time a watch rolls nothing back',
  inWorld(async (world, engine) => {
    await promoted(world, engine);
    await world.pass(watch.forMs + 5_000);
    world.errors('v2', 0.9);
    await world.pass(60_000);
    assert.equal(world.traffics, 'v2 100 %');
    assert.equal((await newest(world)).plan.strategy, 'blue-green');
    await world.result(engine.close('leave'));
  }),
);

test(
  'the first release has nothing to be rolled back to, so nothing is tried',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1', { watch });
    world.errors('v1', 0.9);
    await world.pass(60_000);
    assert.equal((await world.store.rollouts({ scope, limit: 5 })).length, 1);
    assert.equal(
      world.logged.some((line) => line.includes('the rollback could not be started')),
      false,
    );
    await world.result(engine.close('leave'));
  }),
);

test(
  'a new deployment ends the watch over the release before, and live numbers of the watch are told until then',
  inWorld(async (world, engine) => {
    await promoted(world, engine);
    const [status] = await engine.status(scope);
    assert.ok((status?.live?.judgement.candidate.requests ?? 0) > 0);
    const { id } = await world.deploy(engine, 'v3', { strategy: canary, gates: [], watch });
    await world.reaches(id, 'CANARY_WAITING');
    world.errors('v2', 0.9);
    const ended = await world.ended(id);
    assert.equal(ended.status, 'VERIFIED');
    assert.equal(world.traffics, 'v3 100 %');
    await world.result(engine.close('leave'));
  }),
);

test(
  'a watch goes on under the next controller',
  inWorld(async (world, engine) => {
    await promoted(world, engine);
    await world.result(engine.close('leave'));
    const next = world.controller().engine;
    next.serve();
    await world.pass(5_000);
    world.errors('v2', 0.9);
    await world.until('the traffic is back', () => world.traffics === 'v1 100 %');
    await world.ended((await newest(world)).id);
    await world.result(next.close('leave'));
  }),
);

test(
  'a look that fails, and a rollback that cannot begin, are tried again',
  inWorld(async (world, engine) => {
    await promoted(world, engine);
    world.platformFault = () =>
      Promise.reject(new Failure('platform.unreachable', 'it is restarted', { remedy: 'Wait.' }));
    await world.pass(5_000);
    world.platformFault = undefined;
    world.platform.behave(await world.id('v2'), { unhealthy: true });
    world.routerFault = ({ operation }) => {
      if (operation === 'check') throw new Failure('router.unreachable', 'it does not answer', { remedy: 'Start it.' });
    };
    await world.pass(60_000);
    assert.equal(world.traffics, 'v2 100 %');
    assert.equal(world.logged.filter((line) => line.includes('the rollback could not be started')).length, 1);
    world.routerFault = undefined;
    await world.until('the traffic is back', () => world.traffics === 'v1 100 %');
    await world.result(engine.close('leave'));
  }),
);

test(
  'the watch ends nobody’s deployment, and goes on where that came to nothing',
  inWorld(async (world, engine) => {
    await promoted(world, engine);
    await world.id('v3');
    world.platform.behave(await world.id('v3'), { crashesAtStart: 'exit code 1' });
    const { id } = await world.deploy(engine, 'v3', { watch });
    assert.equal((await world.ended(id)).status, 'ROLLED_BACK');
    world.errors('v2', 0.9);
    await world.until('the traffic is back', () => world.traffics === 'v1 100 %');
    await world.result(engine.close('leave'));
  }),
);
