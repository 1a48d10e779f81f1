import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';

import { HaproxyContainer, withoutContainers } from '../../../../test/programs/haproxy-container.ts';
import { withoutHaproxy } from '../../../../test/programs/haproxy.ts';
import { freePort } from '../../../../test/free-port.ts';
import { Failure } from '../../../base/failure.ts';
import type { HaproxyRouterSpec } from '../../../core/plan/spec.ts';
import { Bench, get, group, routerFor, routesOf, scope } from './harness.ts';

const skip = withoutHaproxy === false ? await withoutContainers() : withoutHaproxy;

it(
  'a HAProxy in a container is checked, reloaded and found again by what Docker says of it',
  { skip },
  async (context) => {
    const container = await HaproxyContainer.start();
    context.after(() => container.end());
    const bench = new Bench();
    context.after(() => bench.end());
    const feed = { host: '127.0.0.1', port: await freePort() };
    const spec: HaproxyRouterSpec = {
      driver: 'haproxy',
      listen: { host: '127.0.0.1', port: await freePort() },
      directory: container.own,
      socket: { path: container.socket },
      reload: { kind: 'container', container: container.name },
      feed: { listen: feed, reach: feed },
      limits: { idleMs: 30_000, answerMs: 30_000 },
      trustForwarded: false,
    };
    const { router } = routerFor(spec);
    const [old, fresh] = [await bench.instance('old'), await bench.instance('new')];

    await router.check(scope);
    await router.apply(routesOf(1, [group('a', 10_000, old)]));
    assert.equal((await get(spec.listen)).body, 'old');
    const rules = [{ release: 'b', match: { header: 'x-canary', equals: 'yes' } }] as const;
    await router.apply(routesOf(2, [group('a', 10_000, old), group('b', 0, fresh)], { rules }));
    assert.equal((await get(spec.listen, { 'x-canary': 'yes' })).body, 'new');

    await container.kill();
    const unreachable = (thrown: unknown): boolean => thrown instanceof Failure && thrown.code === 'router.unreachable';
    await assert.rejects(router.read(scope), unreachable);
    await assert.rejects(router.check(scope), unreachable);
    await container.startAgain();
    assert.equal((await get(spec.listen, { 'x-canary': 'yes' })).body, 'new');
    assert.equal((await router.read(scope))?.revision, 2);

    const directory = await mkdtemp(join(tmpdir(), 'sluice-elsewhere-'));
    context.after(() => rm(directory, { recursive: true }));
    const elsewhere = routerFor({ ...spec, directory });
    await assert.rejects(
      elsewhere.router.check(scope),
      (thrown) => thrown instanceof Failure && /does not see .*sluice-elsewhere/.test(thrown.message),
    );
  },
);
