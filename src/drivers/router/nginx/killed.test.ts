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

/** Removes the routes again and again, killed one change later each time, until it is through; `next` is what is done then. */
async function walkRemovals(harness: NginxHarness, next: (words: string) => Promise<void>): Promise<number> {
  const [file = '', ...options] = harness.nginx.program;
  const fresh = () => createNginxRouter({ spec: harness.spec, clock });
  const endpoint = await harness.startInstance('old-1');
  for (let change = 1; ; change += 1) {
    await fresh().apply(routesOf(5, [group('old', 10_000, endpoint)]));
    const missed = await killedAt(change, harness.nginx.directory, () => fresh().remove(scope));
    const words = `killed before change ${change}, ${missed}`;
    await assert.doesNotReject(run(file, [...options, '-t']), words);
    await next(words);
    await fresh().remove(scope);
    await fresh().remove(scope);
    await assert.rejects(harness.request(), { code: 'ECONNREFUSED' }, words);
    assert.deepEqual(await readdir(`${harness.nginx.directory}/conf.d`), ['.sluice.conf.lock', 'sluice.conf'], words);
    if (missed === undefined) return change;
  }
}

it('a removal killed between any two changes is done by the next one', { skip }, async (context) => {
  const harness = await makeHarness({ includes: 'include conf.d/*;' });
  context.after(() => harness.close());
  const changes = await walkRemovals(harness, async () => {
    // Once more, right before it would have NGINX read the note.
    const router = createNginxRouter({ spec: harness.spec, clock });
    await killedAt(4, harness.nginx.directory, () => router.remove(scope));
  });
  assert.ok(changes > 5, `${changes} changes`);
  context.diagnostic(`${changes} changes`);
});

it(
  'what comes after a removal that was killed between any two changes finds nothing of it',
  { skip },
  async (context) => {
    const harness = await makeHarness({ includes: 'include conf.d/*;' });
    context.after(() => harness.close());
    const other = { service: 'shop', environment: 'staging' };
    const instance = await harness.startInstance('new-1');
    await walkRemovals(harness, async (words) => {
      const router = createNginxRouter({ spec: harness.spec, clock });
      const isFree = await router.check(other).then(
        () => true,
        () => false,
      );
      // Killed before it began to matter, the service is there as it was.
      if (!isFree) {
        assert.equal((await router.read(scope))?.revision, 5, words);
        assert.equal((await harness.request()).instance, 'old-1', words);
        return;
      }
      assert.equal(await router.read(scope), undefined, words);
      const routes = { ...routesOf(1, [group('new', 10_000, instance)]), scope: other };
      await router.apply(routes);
      assert.equal((await harness.request()).instance, 'new-1', words);
      assert.deepEqual(await router.read(other), routes, words);
      assert.deepEqual(await leftOver(harness), [], words);
      await createNginxRouter({ spec: harness.spec, clock }).remove(other);
    });
  },
);
