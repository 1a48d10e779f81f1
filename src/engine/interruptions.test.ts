// What breaks off under way: the feed of the router, instances that move, logs that cannot be read.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RouterSpec } from '../core/plan/spec.ts';
import { canary, fewErrors, scope, specWith } from '../../test/engine/specs.ts';
import { inWorld } from '../../test/engine/world.ts';
import { previewTarget, serviceTarget } from './validate-release.ts';

test(
  'a feed that breaks off begins the evidence of a stage anew, and the stage goes on',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    let breaks = 2;
    const feed = world.router.feed.bind(world.router);
    world.router.feed = (of, signal) => {
      if (breaks === 0) return feed(of, signal);
      breaks -= 1;
      throw new Error('the feed is gone');
    };
    await world.deployed(engine, 'v2', { strategy: canary });
    assert.equal(world.logged.filter((line) => line.includes('the feed of the router broke off')).length, 2);
  }),
);

test(
  'without a feed a stage never passes by itself',
  inWorld(async (world, engine) => {
    Object.assign(world.router, { capabilities: { ...world.router.capabilities, feed: false } });
    await world.deployed(engine, 'v1', { gates: [] });
    const { id } = await world.deploy(engine, 'v2', { strategy: canary, gates: [] });
    await world.reaches(id, 'PAUSED');
    await world.command(engine, { kind: 'abort', reason: 'enough' });
    await world.ended(id);
  }),
);

test(
  'a feed that breaks off during a watch is read again',
  inWorld(async (world, engine) => {
    const watch = { forMs: 300_000, checks: [fewErrors], healthFailingMs: 20_000 };
    engine.serve();
    await world.deployed(engine, 'v1', { watch });
    const feed = world.router.feed.bind(world.router);
    let broken = false;
    world.router.feed = (of, signal) => {
      if (broken) return feed(of, signal);
      broken = true;
      throw new Error('the feed is gone');
    };
    await world.deployed(engine, 'v2', { watch });
    await world.until('the warning', () => world.logged.some((line) => line.includes('broke off during a watch')));
    world.errors('v2', 0.9);
    await world.until('the traffic is back', () => world.traffics === 'v1 100 %');
    await world.result(engine.close('leave'));
  }),
);

test(
  'an instance of stable that comes back at another address is routed there at once',
  inWorld(async (world, engine) => {
    engine.attend();
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    await world.reaches(id, 'CANARY_WAITING');
    const [victim] = world.platform.view();
    const ensure = world.platform.ensure.bind(world.platform);
    const elsewhere = { host: '127.0.0.1', port: 29_999 };
    world.platform.ensure = async (group, signal) => {
      const instances = await ensure(group, signal);
      return instances.map((each) => (each.id === victim?.id ? { ...each, address: elsewhere } : each));
    };
    world.platform.crash(victim?.id ?? '');
    await world.until('it is routed', () => {
      const groups = world.router.inForce(scope)?.groups ?? [];
      return groups.some(({ endpoints }) => endpoints.some(({ address }) => address.port === elsewhere.port));
    });
    const moved = (await world.records(id)).find((record) => record.event.kind === 'fleet-changed');
    assert.equal(
      moved?.words,
      'an instance of stable was started again at another address, or another one runs in its place',
    );
    assert.equal((await world.rollout(id)).course, 'forward');
    await world.command(engine, { kind: 'abort', reason: 'enough' });
    await world.ended(id);
    await world.result(engine.close('leave'));
  }),
);

test(
  'a crash whose log cannot be read is told all the same',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    world.platform.behave(await world.id('v2'), { crashesAtStart: 'exit code 3' });
    world.platformFault = ({ operation }) => {
      if (operation === 'logs') throw new Error('the disk is gone');
    };
    const ended = await world.ended((await world.deploy(engine, 'v2')).id);
    assert.equal(ended.failure?.code, 'instance.crashed');
    assert.deepEqual(ended.failure.details?.['lastLines'], ['(its log cannot be read: the disk is gone)']);
  }),
);

test('the service and its preview are asked where they can be reached from here', () => {
  const router = {
    driver: 'embedded',
    listen: { host: '0.0.0.0', port: 8080 },
    preview: { host: '::', port: 8081 },
    limits: { headerBytes: 16_384, idleMs: 1_000, answerMs: 1_000 },
    trustForwarded: false,
  } as const;
  const tls = { certificate: '/c.pem', key: '/k.pem' };
  assert.deepEqual(serviceTarget(specWith({ router })), { address: { host: '127.0.0.1', port: 8080 }, tls: false });
  assert.equal(serviceTarget(specWith({ router: { ...router, tls } })).tls, true);
  const nginx = {
    driver: 'nginx',
    listen: { host: '0.0.0.0', port: 80 },
    reachAt: { host: '127.0.0.1', port: 8080 },
    serverName: '~^shop shop.example',
  } as RouterSpec;
  const inside = { address: { host: '127.0.0.1', port: 8080 }, tls: false, name: 'shop.example' };
  assert.deepEqual(serviceTarget(specWith({ router: nginx })), inside);
  assert.deepEqual(previewTarget(specWith({ router })), { address: { host: '::1', port: 8081 }, tls: false });
  assert.throws(() => previewTarget(specWith({ router: { ...router, preview: undefined } })), /no preview address/);
});
