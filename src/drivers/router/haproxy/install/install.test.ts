import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { it } from 'node:test';
import { promisify } from 'node:util';

import { findHaproxy, withoutHaproxy } from '../../../../../test/programs/haproxy.ts';
import { Failure } from '../../../../base/failure.ts';
import type { Routes } from '../../../../core/routes.ts';
import { Bench, get, group, routerFor, routesOf } from '../harness.ts';

const run = promisify(execFile);

it(
  'however often HAProxy is not reloaded, it starts again with what it has',
  { skip: withoutHaproxy },
  async (context) => {
    const bench = new Bench();
    context.after(() => bench.end());
    const { router, haproxy, spec } = await bench.router();
    const old = await bench.instance('old');
    const failing = routerFor({ ...spec, reload: { kind: 'command', command: ['false'] } });
    // A header that HAProxy does not look at yet needs another configuration.
    const changed = (revision: number): Routes =>
      routesOf(revision, [group('old', 10_000, old)], {
        rules: [{ release: 'old', match: { header: `x-${revision}`, equals: 'yes' } }],
      });
    await router.apply(routesOf(1, [group('old', 10_000, old)]));
    for (const revision of [2, 3, 4]) {
      await assert.rejects(
        failing.router.apply(changed(revision)),
        (thrown) => thrown instanceof Failure && thrown.code === 'router.refused',
      );
      await assert.doesNotReject(run((await findHaproxy()) ?? '', ['-c', ...haproxy.command]), `after ${revision}`);
    }
    await haproxy.kill();
    await haproxy.run();
    assert.equal((await get(spec.listen)).body, 'old');
    await router.apply(changed(5));
    await router.apply(changed(6));
    // The one in use and the one before it.
    assert.equal((await readdir(haproxy.own)).filter((file) => file.endsWith('.map')).length, 2);
  },
);
