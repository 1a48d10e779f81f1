import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asking, canary, fewErrors } from '../../test/engine/specs.ts';
import { actor, type EngineWorld, inWorld } from '../../test/engine/world.ts';
import type { ReleaseFacts } from '../core/decision/facts.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Engine } from './engine.ts';

const usual = asking({ goOn: 80, ask: 60 });

const facts: ReleaseFacts = {
  safety: { tests: { total: 120, failed: 0, skipped: 0 } },
  change: {
    commit: 'a'.repeat(40),
    since: 'b'.repeat(40),
    basis: 'stable',
    files: 2,
    lines: 30,
    migrations: 0,
    dependencies: 0,
  },
  coverage: { lines: 900, covered: 810 },
};

async function deployWith(
  world: EngineWorld,
  engine: Engine,
  version: string,
  told: ReleaseFacts | undefined,
  changes: Partial<DeploySpec> = { confidence: usual, strategy: canary, gates: [fewErrors] },
): Promise<Rollout> {
  await world.id(version, changes);
  const request = { spec: world.spec(version, changes), actor, label: version };
  return world.result(engine.deploy({ ...request, ...(told !== undefined && { facts: told }) }));
}

test(
  'a release of which enough good is known goes on by itself, and the scores are in the history',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await deployWith(world, engine, 'v2', facts);
    const rollout = await world.ended(id);
    assert.equal(rollout.status, 'VERIFIED', rollout.reason);
    assert.deepEqual(
      rollout.confidences?.map(({ point, outcome }) => `${point} ${outcome}`),
      ['beforeTraffic advance', 'beforePromotion advance'],
    );
    assert.deepEqual(rollout.plan.confidence, { release: facts, past: ['held'] });
  }),
);

test(
  'a release of which little is known waits for a person before it gets traffic, and goes on when told',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await deployWith(world, engine, 'v2', undefined);
    const waiting = await world.reaches(id, 'AWAITING_APPROVAL');
    assert.equal(world.traffics, 'v1 100 %');
    assert.match(waiting.reason ?? '', /80 needed to go on/);
    await world.pass(600_000);
    assert.equal((await world.rollout(id)).status, 'AWAITING_APPROVAL');
    await world.command(engine, { kind: 'promote', full: false });
    await world.until('the last stage asks again', async () => {
      const { status, share } = await world.rollout(id);
      return status === 'AWAITING_APPROVAL' && share === 5_000;
    });
    await world.command(engine, { kind: 'promote', full: false });
    assert.equal((await world.ended(id)).status, 'VERIFIED');
  }),
);

test(
  'while a person is asked before the promotion, a release that turns bad goes back by itself',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const confidence = { ...usual, at: ['beforePromotion'] } as const;
    const { id } = await deployWith(world, engine, 'v2', undefined, {
      confidence,
      strategy: canary,
      gates: [fewErrors],
    });
    await world.reaches(id, 'AWAITING_APPROVAL');
    world.errors('v2', 1);
    const rollout = await world.ended(id);
    assert.deepEqual([rollout.status, rollout.failure?.code], ['ROLLED_BACK', 'gate.failed']);
    assert.equal(world.traffics, 'v1 100 %');
  }),
);

test(
  'a release whose checks fail goes back before anybody meets it, and that is not held against the service later',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const since = world.calls.length;
    const confidence = asking({ goOn: 95, ask: 90 });
    const failing: ReleaseFacts = { ...facts, safety: { tests: { total: 10, failed: 4, skipped: 0 } } };
    const { id } = await deployWith(world, engine, 'v2', failing, { confidence });
    const rollout = await world.ended(id);
    assert.deepEqual([rollout.status, rollout.failure?.code], ['ROLLED_BACK', 'confidence.low']);
    assert.deepEqual(world.routings(since), ['v1 100 %']);
    assert.match(rollout.reason ?? '', /4 of 10 tests failed/);
    const next = await deployWith(world, engine, 'v3', facts);
    assert.deepEqual(next.plan.confidence?.past, ['held']);
  }),
);

test(
  'a gate that failed is held against the next release, and another controller decides by the same facts',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.errors('v2', 1);
    const bad = await deployWith(world, engine, 'v2', facts);
    assert.equal((await world.ended(bad.id)).failure?.code, 'gate.failed');
    const next = await deployWith(world, engine, 'v3', facts);
    assert.deepEqual(next.plan.confidence?.past, ['failed', 'held']);
    const history = (rollout: Rollout): number | undefined =>
      rollout.confidences?.at(-1)?.factors.find(({ name }) => name === 'history')?.value;
    await world.until('the first score is there', async () => (await world.rollout(next.id)).confidences !== undefined);
    assert.ok((history(await world.rollout(next.id)) ?? 100) < 80);
  }),
);
