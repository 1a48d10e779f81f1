// The statistical gate fed by what a metric source counts: what the router takes for good may be bad, and a source that is away promotes nothing.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canary } from '../../test/engine/specs.ts';
import { inWorld, type EngineWorld } from '../../test/engine/world.ts';
import type { StatisticalCheck } from '../core/gate/check.ts';
import { gatePresets } from '../core/gate/statistics/settings.ts';
import type { Judgement } from '../core/gate/verdict.ts';
import type { CountedInstances } from '../core/metrics/counter-reading.ts';
import { noNumber } from '../core/metrics/question.ts';
import type { DeploySpec } from '../core/plan/spec.ts';

const compare: StatisticalCheck = {
  kind: 'statistical',
  preset: 'low-traffic',
  gate: gatePresets['low-traffic'],
  counters: {
    source: 'main',
    selection: { requests: 'r', errors: 'e', buckets: 'b', unitMs: 1000, instance: 'instance' },
    intervalMs: 1_000,
  },
};
const comparing: Partial<DeploySpec> = {
  metrics: { main: { driver: 'memory' } },
  strategy: canary,
  gates: [compare],
};
const bounds = [100, 500];

/** Every version counts what it served; `failing` of them fail behind an answer that looks good. */
function countsIn(
  world: EngineWorld,
  failing: (version: string) => number = () => 0,
  restarted = new Map<string, number>(),
) {
  const of = (release: string | undefined): CountedInstances => {
    if (release === undefined) return {};
    const version = world.version(release);
    const requests = (world.served.get(version) ?? 0) - (restarted.get(version) ?? 0);
    const errors = Math.floor(requests * failing(version));
    return { only: { requests, errors, upTo: [requests, requests, requests], at: world.clock.now() } };
  };
  world.counted = ({ candidate, stable }) => ({
    at: world.clock.now(),
    candidate: of(candidate),
    stable: of(stable),
    bounds: { candidate: bounds, stable: bounds },
  });
}

async function judgements(world: EngineWorld, id: string): Promise<readonly Judgement[]> {
  return (await world.records(id)).flatMap(({ event }) => (event.kind === 'judged' ? [event.judgement] : []));
}

test(
  'a healthy release is promoted on what was counted, which is recorded',
  inWorld(async (world, engine) => {
    countsIn(world);
    await world.deployed(engine, 'v1', comparing);
    const { id } = await world.deployed(engine, 'v2', comparing);
    const last = (await judgements(world, id)).findLast(({ outcome }) => outcome === 'pass');
    const { candidate, promotion } = last?.statistics?.evidence ?? assert.fail('no statistics');
    assert.ok(candidate.requests > 20 && Math.min(promotion.errors, promotion.p95 ?? 0) >= promotion.needed);
    assert.match(
      JSON.stringify(last),
      /main counts the requests of 1 instance of the candidate and 1 instance of stable/,
    );
  }),
);

test(
  'a release that fails behind good answers goes back',
  inWorld(async (world, engine) => {
    countsIn(world, (version) => (version === 'v2' ? 0.4 : 0));
    await world.deployed(engine, 'v1', comparing);
    const { status, reason = '' } = await world.ended((await world.deploy(engine, 'v2', comparing)).id);
    assert.equal(status, 'ROLLED_BACK');
    assert.match(reason, /the candidate fails more requests than stable at 10 % of traffic/);
    assert.equal(world.traffics, 'v1 100 %');
  }),
);

test(
  'failures that only the router sees are none where counters decide, but its own limits still hold',
  inWorld(async (world, engine) => {
    countsIn(world);
    await world.deployed(engine, 'v1', comparing);
    world.errors('v2', 0.4);
    await world.deployed(engine, 'v2', comparing);
    world.errors('v3', 0.4);
    const limit = { kind: 'absolute', metric: 'availability', bound: 'min', limit: 0.9, minSamples: 20 } as const;
    const { id } = await world.deploy(engine, 'v3', {
      ...comparing,
      gates: [compare, { ...limit, metric: 'errorRate', bound: 'max', limit: 0.1 }],
    });
    assert.equal((await world.ended(id)).status, 'ROLLED_BACK');
  }),
);

for (const reason of ['unreachable', 'timed-out', 'refused', 'failed', 'unreadable', 'stale'] as const) {
  test(
    `a source that does not count any more (${reason}) holds the stage, then a person is asked; back again it lets go on`,
    inWorld(async (world, engine) => {
      countsIn(world);
      await world.deployed(engine, 'v1', comparing);
      const { id } = await world.deploy(engine, 'v2', comparing);
      await world.until('the second stage', async () => (await world.rollout(id)).share === 5_000);
      world.counted = () => noNumber(reason, 'as the test wants it');
      await world.reaches(id, 'PAUSED');
      assert.match((await world.rollout(id)).reason ?? '', new RegExp(`${reason}: as the test wants it \\(main\\)`));
      assert.equal(world.traffics, 'v1 50 %, v2 50 %', 'the share stays');
      countsIn(world);
      await world.command(engine, { kind: 'resume' });
      assert.equal((await world.ended(id)).status, 'VERIFIED');
      const told = world.logged
        .filter((line) => line.includes('a metric source has'))
        .map((line) => line.split(' {')[0]);
      assert.deepEqual(told, ['warn a metric source has no number', 'info a metric source has a number again']);
    }),
  );
}

test(
  'what stable counted before the deployment says how much its failures come in bursts',
  inWorld(async (world, engine) => {
    countsIn(world);
    await world.deployed(engine, 'v1', comparing);
    const now = world.clock.now();
    world.past = () =>
      Array.from({ length: 60 }, (_, step) => {
        const requests = step * 1_000;
        const errors = 100 * Math.floor(step / 10);
        const only = { requests, errors, upTo: [requests, requests, requests], at: now - (60 - step) * 30_000 };
        return { at: only.at, candidate: {}, stable: { only }, bounds: { candidate: [], stable: bounds } };
      });
    const { id } = await world.deploy(engine, 'v2', comparing);
    await world.reaches(id, 'CANARY_WAITING');
    await world.pass(3_000);
    const [first] = (await judgements(world, id)).flatMap(({ statistics }) => statistics?.evidence ?? []);
    assert.ok((first?.burst.errors ?? 0) > 10, `${first?.burst.errors}`);
  }),
);

test(
  'a program that starts again and counts from 0 is not taken for a bad one',
  inWorld(async (world, engine) => {
    const restarted = new Map<string, number>();
    countsIn(world, () => 0.001, restarted);
    await world.deployed(engine, 'v1', comparing);
    const { id } = await world.deploy(engine, 'v2', comparing);
    await world.reaches(id, 'CANARY_WAITING');
    await world.pass(3_000);
    for (const version of ['v1', 'v2']) restarted.set(version, world.served.get(version) ?? 0);
    assert.equal((await world.ended(id)).status, 'VERIFIED');
  }),
);

test(
  'after a crash nothing that was counted is judged twice, and nothing is lost',
  inWorld(async (world) => {
    const first = world.controller();
    countsIn(world);
    await world.deployed(first.engine, 'v1', comparing);
    const { id } = await world.deploy(first.engine, 'v2', comparing);
    await world.reaches(id, 'CANARY_WAITING');
    await world.pass(6_000);
    first.crash();
    world.declareDead(first);
    await world.pass(5_000);
    const { engine } = world.controller();
    await world.result(engine.recover('take-up'));
    await world.pass(4_000);
    const { gate, counted } = (await world.state()).trial ?? assert.fail('nothing was written down');
    assert.equal(gate?.totals.candidate.requests, counted?.candidate['only']?.requests);
    assert.equal((await world.ended(id)).status, 'VERIFIED');
  }),
);

test(
  'a source that cannot be read refuses a deployment before anything has changed',
  inWorld(async (world, engine) => {
    countsIn(world);
    await world.deployed(engine, 'v1', comparing);
    const calls = world.calls.length;
    world.counted = () => noNumber('refused', 'status 400, bad_data');
    await assert.rejects(world.deploy(engine, 'v2', comparing), (error: unknown) => {
      assert.match(String(error), /the gates cannot be judged: counters: refused: status 400, bad_data, at main/);
      return true;
    });
    assert.deepEqual(world.calls.slice(calls), []);
  }),
);

test(
  'a promoted release is watched by what it counts, against what stable had counted',
  inWorld(async (world, engine) => {
    engine.serve();
    const watch = { forMs: 300_000, checks: [], healthFailingMs: 20_000 };
    let bad = 0;
    countsIn(world, (version) => (version === 'v2' ? bad : 0));
    await world.deployed(engine, 'v1', { ...comparing, watch });
    await world.deployed(engine, 'v2', { ...comparing, watch });
    await world.pass(30_000);
    assert.equal(world.traffics, 'v2 100 %');
    bad = 0.3;
    await world.until('the traffic is back', () => world.traffics === 'v1 100 %');
    const [rollback] = await world.store.rollouts({ limit: 1 });
    const [started] = await world.records(rollback?.id ?? '');
    assert.match(started?.words ?? '', /turned bad after its promotion: .* requests fail since the promotion/);
    await world.result(engine.close('leave'));
  }),
);
