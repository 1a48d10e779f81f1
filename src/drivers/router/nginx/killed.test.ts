// A controller that is killed between any two of its changes: NGINX goes on, can be started again, and the next controller has nothing left over.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { it } from 'node:test';
import { promisify } from 'node:util';

import { killedAt } from '../../../../test/killed-at.ts';
import { withoutNginx } from '../../../../test/programs/nginx.ts';
import type { Routes } from '../../../core/routes.ts';
import { createNginxRouter } from './driver.ts';
import { clock, group, makeHarness, type NginxHarness, routesOf, scope } from './harness.ts';

const skip = await withoutNginx();
const run = promisify(execFile);

/** Names of files that only a change under way may have. */
async function leftOver({ nginx }: NginxHarness): Promise<readonly string[]> {
  // With their types, links are not followed.
  const entries = await readdir(`${nginx.directory}/conf.d`, { recursive: true, withFileTypes: true });
  return entries.map(({ name }) => name).filter((name) => /\.tmp$|\.former$/.test(name));
}

/** Applies the routes again and again, killed one change later each time, until they are through; `next` makes them anew. */
async function walk(harness: NginxHarness, next: () => Promise<readonly [to: Routes, back: Routes]>): Promise<number> {
  const [file = '', ...options] = harness.nginx.program;
  const fresh = () => createNginxRouter({ spec: harness.spec, clock });
  for (let change = 1; ; change += 1) {
    const [to, back] = await next();
    const before = await harness.request();
    const missed = await killedAt(change, harness.nginx.directory, () => fresh().apply(to));
    const words = `killed before change ${change}, ${missed}`;
    await assert.doesNotReject(run(file, [...options, '-t']), words);
    const meanwhile = await harness.request();
    const wanted = to.groups.find(({ share }) => share > 0)?.endpoints[0]?.instance;
    assert.ok([before.instance, wanted].includes(meanwhile.instance), `${words}: ${JSON.stringify(meanwhile)}`);
    const router = fresh();
    await router.apply(to);
    assert.equal((await harness.request()).instance, wanted, words);
    assert.deepEqual(await router.read(scope), to, words);
    assert.deepEqual(await leftOver(harness), [], words);
    if (missed === undefined) return change;
    await router.apply(back);
  }
}

it('a controller killed between any two changes leaves nothing that stays', { skip }, async (context) => {
  // As Debian's sites-enabled: whatever lies there is read.
  const harness = await makeHarness({ includes: 'include conf.d/*;' });
  context.after(() => harness.close());
  const [old, known] = [await harness.startInstance('old-1'), await harness.startInstance('new-1')];
  let revision = 0;
  const both = (share: number, fresh: typeof old): Routes =>
    routesOf((revision += 1), [group('old', 10_000 - share, old), group('new', share, fresh)]);
  await createNginxRouter({ spec: harness.spec, clock }).apply(both(0, known));
  const moved = await walk(harness, async () => [both(10_000, known), both(0, known)]);
  // Servers that NGINX does not know yet bring a new include with them.
  const reloaded = await walk(harness, async () => {
    const unknown = await harness.startInstance(`new-${revision}`);
    return [both(10_000, unknown), both(0, unknown)];
  });
  assert.ok(reloaded > moved && moved > 3, `${moved} and ${reloaded} changes`);
  context.diagnostic(`${moved} changes to move, ${reloaded} with a new include`);
});
