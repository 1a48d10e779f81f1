// The statistical gate at work in deployments: it passes, fails, survives a crash, and goes on behind the promotion.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blueGreen, canary, rolling, scope } from '../../test/engine/specs.ts';
import { inWorld, type EngineWorld } from '../../test/engine/world.ts';
import type { GateCheck } from '../core/gate/check.ts';
import { gatePresets } from '../core/gate/statistics/settings.ts';
import type { Judgement } from '../core/gate/verdict.ts';

const compare: GateCheck = { kind: 'statistical', preset: 'low-traffic', gate: gatePresets['low-traffic'] };
const gates = [compare];

async function judgements(world: EngineWorld, id: string): Promise<readonly Judgement[]> {
  return (await world.records(id)).flatMap(({ event }) => (event.kind === 'judged' ? [event.judgement] : []));
}

test(
  'a healthy release passes each stage on its evidence, which is recorded in words and numbers',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id, judgements: stages } = await world.deployed(engine, 'v2', { strategy: canary, gates });
    assert.equal(stages.length, 2);
    for (const { judgement } of stages) {
      assert.equal(judgement.outcome, 'pass');
      const { words, evidence } = judgement.statistics ?? assert.fail('no statistics');
      assert.match(words[0] ?? '', /^pass: the candidate is no worse than stable/);
      assert.ok(Math.min(evidence.promotion.errors, evidence.promotion.p95 ?? 0) >= evidence.promotion.needed);
    }
    const [first] = await judgements(world, id);
    assert.equal(first?.outcome, 'inconclusive');
  }),
);

test(
  'a release that fails is out after a handful of failed requests, whatever the stage still wants',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary, gates });
    world.errors('v2', 1);
    const ended = await world.ended(id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.match(ended.reason ?? '', /fails more requests than stable/);
    const bad = (await judgements(world, id)).at(-1)?.statistics?.evidence.badEvents ?? Number.NaN;
    assert.ok(bad <= 12, `${bad} failed requests`);
    assert.equal(world.traffics, 'v1 100 %');
  }),
);

test(
  'a fault that comes with a later stage is found there, with the wealth of all stages',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary, gates });
    await world.until('the second stage', async () => (await world.rollout(id)).share === 5_000);
    await world.pass(2_000);
    world.errors('v2', 0.4);
    assert.equal((await world.ended(id)).status, 'ROLLED_BACK');
    const evidence = (await judgements(world, id)).at(-1)?.statistics?.evidence;
    assert.equal(evidence?.share, 5_000);
    assert.ok((evidence?.ageMs ?? 0) > (evidence?.stageMs ?? 0));
  }),
);

test(
  'without traffic nothing is promoted: the stage pauses for a person',
  inWorld(
    async (world, engine) => {
      await world.deployed(engine, 'v1');
      const { id } = await world.deploy(engine, 'v2', { strategy: canary, gates });
      const paused = await world.reaches(id, 'PAUSED');
      assert.match(paused.reason ?? '', /no conclusion in the longest time allowed/);
    },
    { traffic: false },
  ),
);

test(
  'after a crash the evidence goes on from what was written down, and no request is judged twice',
  inWorld(async (world) => {
    const first = world.controller();
    await world.deployed(first.engine, 'v1');
    const { id } = await world.deploy(first.engine, 'v2', { strategy: canary, gates });
    await world.reaches(id, 'CANARY_WAITING');
    await world.pass(8_000);
    const before = (await world.state()).trial?.gate ?? assert.fail('nothing was written down');
    assert.ok(before.totals.candidate.requests > 20);
    const counted = before.totals.stable.requests + before.totals.candidate.requests;
    first.crash();
    world.declareDead(first);
    const crashedAt = world.clock.now();
    assert.ok(crashedAt - before.lastAt <= 1_500, 'at most about a second is lost');
    const { engine } = world.controller();
    await world.result(engine.recover('take-up'));
    await world.pass(3_000);
    const after = (await world.state()).trial?.gate ?? assert.fail('nothing was written down');
    const grown = after.totals.stable.requests + after.totals.candidate.requests - counted;
    assert.ok(grown > 0 && grown <= ((world.clock.now() - before.lastAt) / 200 + 1) * 10, `${grown} more requests`);
    assert.equal(after.startedAt, before.startedAt);
    assert.equal((await world.ended(id)).status, 'VERIFIED');
  }),
);

for (const strategy of [blueGreen, rolling]) {
  test(
    `behind a ${strategy.kind} switch the guard sends a failing release back, by what stable was like`,
    inWorld(async (world, engine) => {
      await world.deployed(engine, 'v1');
      world.errors('v2', 0.3);
      const observed = { ...strategy, observeMs: 30_000 };
      const { id } = await world.deploy(engine, 'v2', { strategy: observed, gates });
      const ended = await world.ended(id);
      assert.equal(ended.status, 'ROLLED_BACK', ended.reason);
      assert.equal(world.traffics, 'v1 100 %');
    }),
  );
}

test(
  'a promoted release is watched against the record of the former stable, without any limit being set',
  inWorld(async (world, engine) => {
    engine.serve();
    const watch = { forMs: 300_000, checks: [], healthFailingMs: 20_000 };
    await world.deployed(engine, 'v1', { watch });
    await world.deployed(engine, 'v2', { strategy: canary, gates, watch });
    await world.pass(30_000);
    assert.equal(world.traffics, 'v2 100 %');
    world.errors('v2', 0.2);
    await world.until('the traffic is back', () => world.traffics === 'v1 100 %');
    const [rollback] = await world.store.rollouts({ scope, limit: 1 });
    const [started] = await world.records(rollback?.id ?? '');
    assert.match(started?.words ?? '', /turned bad after its promotion: .* requests fail since the promotion/);
    await world.result(engine.close('leave'));
  }),
);

test(
  'behind a switch a healthy release passes on what the guard saw, and the record says on how many requests',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { judgements: holds } = await world.deployed(engine, 'v2', {
      strategy: { ...blueGreen, observeMs: 10_000 },
      gates,
    });
    const [verdict] = holds.at(-1)?.judgement.verdicts ?? [];
    assert.equal(verdict?.outcome, 'pass');
    assert.match(verdict.reason, /nothing shows that more than .* 0 of \d+ did/);
    assert.ok(verdict.samples > 0);
  }),
);

test(
  'a server knows that stable fails in bursts, and does not blame a new release for one',
  inWorld(async (world, engine) => {
    engine.serve();
    const spec = { gates, strategy: canary };
    await world.deployed(engine, 'v1', spec);
    for (let burst = 0; burst < 12; burst += 1) {
      await world.pass(25_000);
      world.errors('v1', 1);
      await world.pass(2_000);
      world.errors('v1', 0);
    }
    const { id } = await world.deploy(engine, 'v2', spec);
    await world.reaches(id, 'CANARY_WAITING');
    await world.pass(2_000);
    const burst = (await world.state()).trial?.gate?.wealth.burst.errors ?? Number.NaN;
    assert.ok(burst > 5, `failures of stable count ${burst} times`);
    await world.result(engine.close('leave'));
  }),
);
