import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, fewErrors } from '../../test/engine/specs.ts';
import { type EngineWorld, inWorld } from '../../test/engine/world.ts';
import type { QueryCheck } from '../core/gate/check.ts';
import { noNumber, noNumberReasons } from '../core/metrics/question.ts';
import type { DeploySpec } from '../core/plan/spec.ts';

const depth: QueryCheck = {
  kind: 'query',
  name: 'queue depth',
  source: 'main',
  query: 'depth',
  minSamples: 0,
  max: 10,
  points: 2,
  noData: 'hold',
  weight: 1,
  intervalMs: 2_000,
  windowMs: 60_000,
};

const sources: Partial<DeploySpec> = { metrics: { main: { driver: 'memory' } } };

function asking(changes: Partial<QueryCheck> = {}): Partial<DeploySpec> {
  return { ...sources, strategy: canary, gates: [fewErrors, { ...depth, ...changes }] };
}

const gone = noNumber('unreachable', 'nothing listens there');

test(
  'a release whose answers are good is promoted, and the answers stand in the record',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.metric = () => 3;
    const { id } = await world.deployed(engine, 'v2', asking());
    const said = JSON.stringify((await world.records(id)).filter(({ event }) => event.kind === 'judged'));
    assert.match(said, /queue depth is 3, allowed is at most 10, 2 of 2 answers in a row/);
  }),
);

test(
  'a release that a question finds bad goes back',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.metric = (_query, version) => (version === 'v2' ? 11 : 3);
    const { status, reason = '' } = await world.ended((await world.deploy(engine, 'v2', asking())).id);
    assert.equal(status, 'ROLLED_BACK');
    assert.match(reason, /queue depth is 11, allowed is at most 10/);
    assert.equal(world.traffics, 'v1 100 %');
    const [newest] = await world.store.rollouts({ limit: 1 });
    assert.equal(
      (newest?.wentBackAt ?? 0) - (newest?.badSince ?? 0),
      2_000,
      'the first bad answer was one question before',
    );
  }),
);

test(
  'a question about stable is asked at the same time, and its answer is the measure',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.metric = (_query, version) => (version === 'v2' ? 130 : 100);
    const gates = asking({ max: undefined, worseThanStable: 0.2 });
    const { status, reason = '' } = await world.ended((await world.deploy(engine, 'v2', gates)).id);
    assert.equal(status, 'ROLLED_BACK');
    assert.match(reason, /queue depth is 130 against 100 of stable, allowed is at most 120/);
  }),
);

async function pausesIn(world: EngineWorld, id: string): Promise<string> {
  await world.until('it pauses', async () => (await world.rollout(id)).status !== 'CANARY_WAITING');
  await world.reaches(id, 'PAUSED');
  return (await world.rollout(id)).reason ?? '';
}

for (const reason of noNumberReasons) {
  test(
    `a source without a number (${reason}) holds the stage, and then a person is asked`,
    inWorld(async (world, engine) => {
      await world.deployed(engine, 'v1');
      world.metric = () => 3;
      const { id } = await world.deploy(engine, 'v2', asking());
      await world.reaches(id, 'CANARY_WAITING');
      world.metric = () => noNumber(reason, 'as the test wants it');
      const why = await pausesIn(world, id);
      assert.match(why, new RegExp(`queue depth has no number: ${reason}: as the test wants it`));
      assert.equal(world.traffics, 'v1 90 %, v2 10 %', 'the share stays');
    }),
  );
}

test(
  'a source that comes back lets the stage go on',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.metric = () => 3;
    const { id } = await world.deploy(engine, 'v2', asking());
    await world.reaches(id, 'CANARY_WAITING');
    world.metric = () => gone;
    await world.pass(30_000);
    world.metric = () => 3;
    assert.equal((await world.ended(id)).status, 'VERIFIED');
    const told = world.logged.filter((line) => line.includes('a metric source has'));
    assert.deepEqual(
      told.map((line) => line.split(' {')[0]),
      ['warn a metric source has no number', 'info a metric source has a number again'],
    );
  }),
);

test(
  'behind a switch too nothing is promoted while a source has no number',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.metric = () => 3;
    const strategy = { ...blueGreen, observeMs: 20_000 };
    const { id } = await world.deploy(engine, 'v2', { ...asking(), strategy });
    world.metric = () => gone;
    const { reason = '' } = await world.reaches(id, 'PAUSED');
    assert.match(reason, /queue depth has no number: unreachable/);
  }),
);

test(
  'behind a switch a source that has come back is enough to go on',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.metric = () => 3;
    const strategy = { ...blueGreen, observeMs: 20_000 };
    const { id } = await world.deploy(engine, 'v2', { ...asking(), strategy });
    world.metric = () => gone;
    await world.pass(8_000);
    world.metric = () => 3;
    assert.equal((await world.ended(id)).status, 'VERIFIED');
  }),
);

test(
  'a source that never answers keeps nobody waiting longer than its time',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.metric = () => 3;
    const { id } = await world.deploy(engine, 'v2', asking());
    await world.reaches(id, 'CANARY_WAITING');
    world.metric = () => 'silent';
    assert.match(await pausesIn(world, id), /queue depth has no number: timed-out/);
  }),
);

test(
  'a deployment whose source does not answer, or takes no such question, does not begin',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    await world.id('v2');
    const before = world.calls.length;
    const request = { spec: world.spec('v2', asking()), actor: 'ann@desk' };
    world.metric = () => gone;
    const away = await world.refused(engine.deploy(request), 'metrics.unreachable');
    assert.match(away.message, /queue depth: unreachable: nothing listens there, at main/);
    world.metric = () => noNumber('refused', 'status 400: parse error');
    await world.refused(engine.deploy(request), 'metrics.refused');
    world.metric = () => noNumber('several', 'the query gives 2 series');
    await world.refused(engine.deploy(request), 'metrics.refused');
    assert.deepEqual(world.calls.slice(before), []);
    world.metric = () => noNumber('empty', 'the query finds no series');
    assert.equal((await world.deploy(engine, 'v2', asking())).status, 'BUILDING', 'no data yet is no reason');
  }),
);

test(
  'a rollback waits for no source',
  inWorld(async (world, engine) => {
    world.metric = () => 3;
    await world.deployed(engine, 'v1', asking());
    await world.deployed(engine, 'v2', asking());
    world.metric = () => gone;
    assert.equal((await world.ended((await world.rollback(engine)).id)).status, 'VERIFIED');
  }),
);

test(
  'the window of a question never reaches back behind the stage',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', asking());
    await world.reaches(id, 'CANARY_WAITING');
    const begun = world.metrics.asked.length;
    await world.pass(8_500);
    const windows = world.metrics.asked.slice(begun).map(({ values }) => values.windowSeconds);
    assert.deepEqual(windows, [2, 4, 6, 8]);
  }),
);

test(
  'after the promotion the questions go on, and a bad answer rolls back',
  inWorld(async (world, engine) => {
    engine.serve();
    await world.deployed(engine, 'v1');
    const watch = { forMs: 120_000, checks: [depth], healthFailingMs: 60_000 };
    const strategy = { ...blueGreen, keepOldMs: 300_000 };
    await world.deployed(engine, 'v2', { ...sources, strategy, watch });
    world.metric = () => gone;
    await world.pass(20_000);
    assert.equal(world.traffics, 'v2 100 %', 'a source that is away makes no release bad');
    world.metric = () => 11;
    await world.until('v1 has all traffic again', () => world.traffics === 'v1 100 %');
    const [newest] = await world.store.rollouts({ limit: 1 });
    assert.match(JSON.stringify(await world.records(newest?.id ?? '')), /queue depth is 11/);
    const { createdAt = 0, badSince = 0, safeAt } = newest ?? {};
    assert.ok(
      badSince > 0 && createdAt - badSince >= 2_000 && createdAt - badSince < 5_000,
      `${createdAt - badSince} ms`,
    );
    assert.ok(safeAt !== undefined && safeAt >= createdAt, 'when all traffic was back is known too');
  }),
);
