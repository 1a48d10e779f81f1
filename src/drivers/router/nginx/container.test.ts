import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import type { NginxRouterSpec } from '../../../core/plan/spec.ts';
import type { Router } from '../../../ports/router.ts';
import { noEngine } from '../../../../test/docker/engine.ts';
import { freePort } from '../../../../test/free-port.ts';
import { withoutNginx } from '../../../../test/programs/nginx.ts';
import { NginxContainer } from '../../../../test/programs/nginx-container.ts';
import { createNginxRouter } from './driver.ts';
import { ask, clock, failsWith, group, makeHarness, routesOf, scope } from './harness.ts';

const run = promisify(execFile);
const skip = (await withoutNginx()) || (await noEngine());

/** A container's program may take a moment to begin. */
async function begun(router: Router): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const isThere = await router.check(scope).then(
      () => true,
      () => false,
    );
    if (isThere) return;
    await sleep(100);
  }
}

it(
  'an NGINX in a container is written to, reloaded, drained and listened to from outside',
  { skip },
  async (context) => {
    const container = await NginxContainer.start();
    context.after(() => container.end());
    const harness = await makeHarness({ started: false });
    context.after(() => harness.close());
    const spec: NginxRouterSpec = {
      ...harness.spec,
      listen: { host: '127.0.0.1', port: await freePort() },
      include: join(container.directory, 'conf.d', 'sluice.conf'),
      includeInside: '/lb/conf.d/sluice.conf',
      program: ['nginx', '-p', '/lb', '-c', '/lb/nginx.conf'],
      container: container.name,
    };
    const router = createNginxRouter({ spec, clock });
    const [old, fresh] = [await harness.startInstance('old-1'), await harness.startInstance('new-1')];
    await begun(router);
    await router.check(scope);
    await router.apply(routesOf(1, [group('old', 10_000, old)]));
    assert.equal((await ask(spec)).instance, 'old-1');

    const stop = new AbortController();
    const seen: string[] = [];
    const reading = (async () => {
      for await (const { samples } of router.feed(scope, stop.signal))
        seen.push(...samples.map(({ instance }) => instance));
    })();
    await router.apply(routesOf(2, [group('old', 0, old), group('new', 10_000, fresh)]));
    for (let attempt = 0; attempt < 200 && seen.length === 0; attempt++) {
      assert.equal((await ask(spec)).instance, 'new-1');
      await sleep(50);
    }
    stop.abort();
    await reading;
    assert.ok(seen.includes('new-1'));
    assert.equal(await router.drain(scope, ['old-1'], 30_000), 0);
    assert.equal((await router.read(scope))?.revision, 2);

    const gone = createNginxRouter({ spec: { ...spec, container: 'sluice-test-no-such-container' }, clock });
    await assert.rejects(gone.check(scope), failsWith('router.refused', /[Nn]o such container/));
    await assert.rejects(gone.drain(scope, ['old-1'], 0), failsWith('router.unreachable', /cannot be read/));

    await router.remove(scope);
    await assert.rejects(ask(spec), { code: 'ECONNREFUSED' });
    assert.equal(await router.read(scope), undefined);

    // What does not run is not waited for; what answers does run, whatever its name.
    for (const way of ['stop', 'rm']) {
      await router.apply(routesOf(1, [group('old', 10_000, old)]));
      await assert.rejects(gone.remove(scope), failsWith('router.unreachable', /does not run/));
      assert.equal((await ask(spec)).instance, 'old-1');
      await router.remove(scope);
      await router.apply(routesOf(1, [group('old', 10_000, old)]));
      await run('docker', [...(way === 'rm' ? ['rm', '--force'] : ['stop', '--time', '0']), container.name]);
      await router.remove(scope);
      assert.deepEqual((await readdir(join(container.directory, 'conf.d'))).sort(), [
        '.sluice.conf.lock',
        'sluice.conf',
      ]);
      if (way === 'rm') return;
      await run('docker', ['start', container.name]);
      await begun(router);
    }
  },
);
