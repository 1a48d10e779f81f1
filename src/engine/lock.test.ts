// One deployment at a time per scope: within one controller, between several, and behind dead ones.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canary, rolling, scope } from '../../test/engine/specs.ts';
import { actor, inWorld } from '../../test/engine/world.ts';
import { Failure } from '../base/failure.ts';

test(
  'a second deployment is refused with who is at work since when, on what, and how to look',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id, createdAt, plan } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    const refusal = await world.refused(world.deploy(engine, 'v3'), 'deployment.locked');
    assert.equal(refusal.at, 'shop/production');
    assert.match(refusal.message, /locked by c-1 \(process 1 on sim\)/);
    assert.match(
      refusal.message,
      new RegExp(`deployment ${id} of ${plan.candidate.id}, ordered by ann@desk, now CANARY_`),
    );
    assert.match(refusal.remedy, /sluice status --watch.*sluice abort/);
    const { since, deployment, status, actor: who } = refusal.details ?? {};
    assert.deepEqual([since, deployment, status, who], [createdAt, id, 'CANARY_WAITING', actor]);
    assert.equal((await world.ended(id)).status, 'VERIFIED', 'the first goes on');
  }),
);

test(
  'of two deployments asked for at the same moment one is refused',
  inWorld(async (world, engine) => {
    const other = world.controller().engine;
    for (const second of [engine, other]) {
      const [a, b] = await world.result(
        Promise.allSettled([
          engine.deploy({ spec: world.spec('v1'), actor }),
          second.deploy({ spec: world.spec('v2'), actor }),
        ]),
      );
      assert.equal(a.status, 'fulfilled');
      assert.ok(b.status === 'rejected' && b.reason instanceof Failure && b.reason.code === 'deployment.locked');
      await world.ended(a.value.id);
      await world.until('the lease is free', async () => (await world.state()).lease === undefined);
    }
  }),
);

test(
  'two scopes do not wait for one another',
  inWorld(async (world, engine) => {
    const staging = { service: 'shop', environment: 'staging' };
    const a = await world.deploy(engine, 'v1');
    const b = await world.deploy(engine, 'v1', { scope: staging, validation: [] });
    assert.equal((await world.ended(a.id)).status, 'VERIFIED');
    assert.equal((await world.ended(b.id)).status, 'VERIFIED');
  }),
);

test(
  'a deployment of another living controller is locked for deployments and commands alike',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    const other = world.controller().engine;
    await world.refused(world.deploy(other, 'v3'), 'deployment.locked');
    await world.refused(world.command(other, { kind: 'abort', reason: 'enough' }), 'deployment.locked');
    assert.deepEqual(await world.result(other.recover('take-up')), []);
    assert.equal((await world.ended(id)).status, 'VERIFIED');
  }),
);

for (const strategy of [canary, { ...rolling, observeMs: 4_000 }]) {
  test(
    `the ${strategy.kind} deployment of a controller that is known to be dead is taken up at once and goes on`,
    inWorld(async (world) => {
      const first = world.controller();
      await world.deployed(first.engine, 'v1');
      const { id } = await world.deploy(first.engine, 'v2', { strategy });
      await world.until('v2 has traffic', () => world.traffics.includes('v2'));
      first.crash();
      world.declareDead(first);
      const diedAt = world.clock.now();
      const second = world.controller();
      const [taken] = await world.result(second.engine.recover('take-up'));
      assert.equal(taken?.id, id);
      assert.equal(world.clock.now(), diedAt, 'nobody waited');
      assert.equal((await world.ended(id)).status, 'VERIFIED');
      assert.equal(world.traffics, 'v2 100 %');
      const recovered = (await world.records(id)).find((record) => record.event.kind === 'recovered');
      assert.match(recovered?.words ?? '', /taken up by another controller after c-2 on sim ended/);
    }),
  );
}

test(
  'a deployment of a silent controller is taken up when its lease has ended, not before',
  inWorld(async (world) => {
    const first = world.controller();
    await world.deployed(first.engine, 'v1');
    const { id } = await world.deploy(first.engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    const until = (await world.state()).lease?.until ?? 0;
    first.crash();
    const second = world.controller();
    second.engine.serve();
    await world.until('it is taken up', async () => (await world.state()).lease?.holder.controller === 'c-3');
    assert.ok(world.clock.now() >= until);
    assert.ok(world.clock.now() <= until + 2_000, 'and soon after');
    assert.equal((await world.ended(id)).status, 'VERIFIED');
    await second.engine.close('leave');
  }),
);

test(
  'a deployment asked for while a dead one lies there brings the dead one back first',
  inWorld(async (world) => {
    const id = await world.abandoned();
    const second = world.controller();
    const fresh = await world.deploy(second.engine, 'v3', { strategy: canary });
    const ended = await world.rollout(id);
    assert.equal(ended.status, 'ROLLED_BACK');
    assert.match(ended.reason ?? '', /its controller ended and another deployment was asked for/);
    assert.equal(fresh.plan.stable?.label, 'v1');
    assert.equal((await world.ended(fresh.id)).status, 'VERIFIED');
    assert.equal(world.traffics, 'v3 100 %');
  }),
);

test(
  'a command to a deployment of a dead controller takes it up',
  inWorld(async (world) => {
    const id = await world.abandoned();
    const second = world.controller();
    await world.command(second.engine, { kind: 'abort', reason: 'enough' });
    assert.equal((await world.ended(id)).status, 'ROLLED_BACK');
    assert.equal(world.traffics, 'v1 100 %');
  }),
);

test(
  'what a dead controller left can be taken back as a whole',
  inWorld(async (world) => {
    const id = await world.abandoned();
    const second = world.controller();
    const [taken] = await world.result(second.engine.recover('take-back'));
    assert.equal(taken?.status, 'ROLLED_BACK');
    assert.equal(world.running, 'v1 ×2');
    assert.equal((await world.state()).lease, undefined);
    assert.equal((await world.rollout(id)).reason, 'its controller ended');
  }),
);

test(
  'a controller that was frozen until another one took over does nothing more',
  inWorld(async (world) => {
    const first = world.controller();
    await world.deployed(first.engine, 'v1');
    const { id } = await world.deploy(first.engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    first.freeze(30_000);
    const second = world.controller();
    second.engine.serve();
    await world.until('it is taken up', async () => (await world.state()).lease?.holder.controller === 'c-3');
    await world.result(second.engine.command(scope, { kind: 'pause', reason: 'lunch' }, { actor }));
    await world.pass(60_000);
    assert.ok(world.logged.some((line) => line.includes('the lease is lost; this controller stops here')));
    assert.equal((await world.rollout(id)).status, 'PAUSED');
    await world.refused(world.command(first.engine, { kind: 'promote', full: true }), 'deployment.locked');
    assert.equal(world.traffics, 'v1 90 %, v2 10 %');
    await world.result(second.engine.close('settle'));
    assert.equal(world.traffics, 'v1 100 %');
  }),
);

test(
  'a controller with nothing to write learns from renewing its lease that another one took over',
  inWorld(async (world) => {
    const first = world.controller();
    await world.deployed(first.engine, 'v1');
    const { id } = await world.deploy(first.engine, 'v2', { strategy: { ...canary, promotion: 'manual' } });
    await world.reaches(id, 'AWAITING_APPROVAL');
    first.freeze(30_000);
    const second = world.controller();
    second.engine.serve();
    await world.until('it is taken up', async () => (await world.state()).lease?.holder.controller === 'c-3');
    await world.pass(60_000);
    assert.ok(world.logged.some((line) => line.includes('the lease is lost') && line.includes('another controller')));
    assert.equal((await world.rollout(id)).status, 'AWAITING_APPROVAL');
    await world.result(second.engine.close('settle'));
  }),
);

test(
  'a lease that cannot be given back ends by itself, and until then nobody else deploys',
  inWorld(async (world, engine) => {
    world.storeFaults.before = (call) => {
      if (call.kind === 'lease' && call.request.kind === 'release')
        throw new Failure('store.unavailable', 'it is gone', { remedy: 'Mend it.' });
    };
    await world.deployed(engine, 'v1');
    await world.until('the warning', () => world.logged.some((line) => line.includes('could not be given back')));
    const other = world.controller().engine;
    const refusal = await world.refused(world.deploy(other, 'v2'), 'deployment.locked');
    assert.match(refusal.message, /for work of its own/);
    await world.pass(10_000);
    await world.deployed(other, 'v2');
  }),
);

test(
  'a lease whose renewal fails for a moment is not lost',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    let failures = 0;
    world.storeFaults.before = (call) => {
      if (call.kind !== 'lease' || call.request.kind !== 'renew' || failures >= 2) return;
      failures += 1;
      throw new Failure('store.unavailable', 'it is gone', { remedy: 'Mend it.' });
    };
    assert.equal((await world.ended(id)).status, 'VERIFIED');
    assert.equal(failures, 2);
  }),
);
