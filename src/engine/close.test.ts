import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canary, scope } from '../../test/engine/specs.ts';
import { actor, inWorld } from '../../test/engine/world.ts';

test(
  'closing to settle brings what is under way back first',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    await world.result(engine.close('settle'));
    const ended = await world.rollout(id);
    assert.deepEqual([ended.status, ended.reason], ['ROLLED_BACK', 'its controller ends']);
    assert.equal(world.traffics, 'v1 100 %');
    assert.equal(world.running, 'v1 ×2');
    assert.equal((await world.state()).lease, undefined);
  }),
);

test(
  'closing to leave stops in the middle, and a new controller goes on from there',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    const { version } = await world.rollout(id);
    await world.result(engine.close('leave'));
    await world.pass(30_000);
    assert.equal((await world.rollout(id)).version, version, 'nothing more is done');
    assert.equal(world.traffics, 'v1 90 %, v2 10 %');
    const next = world.controller();
    next.engine.serve();
    assert.equal((await world.ended(id)).status, 'VERIFIED');
    await next.engine.close('leave');
  }),
);

test(
  'closing in the middle of a start leaves the start to the next controller, which starts nothing twice',
  inWorld(async (world, engine) => {
    world.platform.behave(await world.id('v1'), { healthyAfterMs: 10_000 });
    const { id } = await world.deploy(engine, 'v1');
    await world.pass(2_000);
    await world.result(engine.close('leave'));
    const next = world.controller();
    await world.pass(10_000);
    await world.result(next.engine.recover('take-up'));
    assert.equal((await world.ended(id)).status, 'VERIFIED');
    assert.equal(world.running, 'v1 ×2');
  }),
);

test(
  'closing without anything under way is quick, and closing twice is no harm',
  inWorld(async (world, engine) => {
    engine.serve();
    engine.serve();
    await world.deployed(engine, 'v1');
    await world.result(engine.close('settle'));
    await world.result(engine.close('leave'));
    assert.equal(world.traffics, 'v1 100 %');
  }),
);

test(
  'logs and validation are to be had with and without a deployment under way',
  inWorld(async (world, engine) => {
    const query = { scope, lastLines: 10, follow: false };
    const lines = async () => {
      const texts: string[] = [];
      for await (const line of engine.logs(query, new AbortController().signal)) texts.push(line.text);
      return texts;
    };
    assert.deepEqual(await lines(), [], 'nothing was ever deployed');
    await world.deployed(engine, 'v1');
    world.platform.write(world.platform.view()[0]?.id ?? '', 'hello');
    assert.deepEqual(await lines(), ['hello']);
    const { signal } = new AbortController();
    const service = await world.result(engine.validate({ spec: world.spec('v1'), through: 'service' }, signal));
    assert.deepEqual(
      service.map(({ name, passed }) => [name, passed]),
      [['GET /ready', true]],
    );
    const preview = { spec: world.spec('v2'), through: 'preview' } as const;
    const refusal = await world.refused(engine.validate(preview, signal), 'deployment.none');
    assert.match(refusal.message, /no release of shop\/production is on trial/);
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    world.answers('v2', '/ready', 500);
    const onTrial = await world.result(engine.validate(preview, signal));
    assert.deepEqual(
      onTrial.map(({ passed }) => passed),
      [false, false],
      'each instance is asked',
    );
    await world.command(engine, { kind: 'abort', reason: 'enough' });
    await world.ended(id);
    assert.equal((await engine.history({ limit: 1 }))[0]?.createdBy, actor);
  }),
);

test(
  'the logs of a first deployment that failed can still be read',
  inWorld(async (world, engine) => {
    world.platform.behave(await world.id('v1'), { crashesAtStart: 'exit code 3' });
    const { plan } = await world.ended((await world.deploy(engine, 'v1')).id);
    const texts: string[] = [];
    const query = { scope, release: plan.candidate.id, lastLines: 10, follow: false };
    for await (const line of engine.logs(query, new AbortController().signal)) texts.push(line.text);
    assert.ok(texts.includes('last words'));
  }),
);
