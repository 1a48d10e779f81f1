// Two controllers that change the same include, one of them held up in the middle of it.

import assert from 'node:assert/strict';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Router } from '../../../ports/router.ts';
import { withoutNginx } from '../../../../test/programs/nginx.ts';
import { createNginxRouter } from './driver.ts';
import { clock, failsWith, group, makeHarness, type NginxHarness, routesOf, scope } from './harness.ts';

const skip = await withoutNginx();
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function harnessOf(): Promise<NginxHarness> {
  const harness = await makeHarness();
  ends.push(() => harness.close());
  return harness;
}

interface HeldUp {
  readonly router: Router;
  /** Resolves when it stands still. */
  readonly stands: () => Promise<void>;
  readonly goOn: () => Promise<void>;
}

/** A controller that stands still when it runs NGINX's program with this option: `-T` before it writes the include, `-t` after. */
async function heldUpAt(harness: NginxHarness, option: '-T' | '-t'): Promise<HeldUp> {
  const { directory } = harness.nginx;
  const [waits, goes, script] = ['waits', 'goes', 'held.sh'].map((name) => join(directory, name));
  assert.ok(waits !== undefined && goes !== undefined && script !== undefined);
  await writeFile(
    script,
    `for last; do :; done
if [ "$last" = ${option} ]; then : > ${waits}; while [ ! -e ${goes} ]; do sleep 0.02; done; fi
exec "$@"
`,
  );
  const router = createNginxRouter({
    spec: { ...harness.spec, program: ['sh', script, ...harness.spec.program] },
    clock,
  });
  return {
    router,
    stands: async () => {
      while ((await readFile(waits).catch(() => undefined)) === undefined) await sleep(5);
    },
    goOn: () => writeFile(goes, ''),
  };
}

/** Of stable, and of the candidates of two controllers. */
async function instancesOf(harness: NginxHarness) {
  const [old, a, b] = await Promise.all([
    harness.startInstance('old-1'),
    harness.startInstance('a-1'),
    harness.startInstance('b-1'),
  ]);
  return { old, a, b };
}

describe('two controllers of one NGINX', { skip }, () => {
  it('come one after the other', async () => {
    const harness = await harnessOf();
    const { old, a, b } = await instancesOf(harness);
    await harness.router.apply(routesOf(1, [group('old', 10_000, old)]));
    const held = await heldUpAt(harness, '-T');
    const first = held.router.apply(routesOf(10, [group('old', 5_000, old), group('a', 5_000, a)]));
    await held.stands();
    const second = harness.router.apply(routesOf(12, [group('old', 0, old), group('b', 10_000, b)]));
    await sleep(200);
    await held.goOn();
    await Promise.all([first, second]);
    assert.equal((await harness.request()).instance, 'b-1');
  });

  it('leave traffic where it is when one of them thaws before it writes', async () => {
    const harness = await harnessOf();
    const { old, a, b } = await instancesOf(harness);
    await harness.router.apply(routesOf(1, [group('old', 10_000, old)]));
    const held = await heldUpAt(harness, '-T');
    const first = held.router.apply(routesOf(10, [group('old', 5_000, old), group('a', 5_000, a)]));
    await held.stands();
    // The way back goes on without the one that stands still.
    const newer = routesOf(12, [group('old', 5_000, old), group('b', 5_000, b)]);
    await harness.router.apply(newer);
    const include = await readFile(harness.spec.include, 'utf8');
    // Neither looks requests up where the other one does.
    const folders = await readdir(join(harness.nginx.directory, 'conf.d', '.sluice.conf.sluice'));
    assert.equal(folders.filter((name) => /^g\d+$/.test(name)).length, 3);
    await held.goOn();
    await assert.rejects(first, failsWith('router.stale', /revision 12/));
    assert.equal(await readFile(harness.spec.include, 'utf8'), include);
    assert.deepEqual(await harness.router.read(scope), newer);
    const seen = new Set<string | undefined>();
    for (let sent = 0; sent < 40; sent++) seen.add((await harness.request()).instance);
    assert.deepEqual(seen, new Set(['old-1', 'b-1']));
  });

  it('leave traffic where it is when one of them thaws before it writes, and the include stayed the same', async () => {
    const harness = await harnessOf();
    const { old, a, b } = await instancesOf(harness);
    await harness.router.apply(routesOf(1, [group('old', 10_000, old), group('b', 0, b)]));
    const held = await heldUpAt(harness, '-T');
    const first = held.router.apply(routesOf(10, [group('old', 10_000, old), group('a', 0, a)]));
    await held.stands();
    await harness.router.apply(routesOf(12, [group('old', 0, old), group('b', 10_000, b)]));
    await held.goOn();
    await assert.rejects(first, failsWith('router.stale', /revision 12/));
    assert.equal((await harness.router.read(scope))?.revision, 12);
    assert.equal((await harness.request()).instance, 'b-1');
  });

  it('take back only what they wrote themselves', async () => {
    const harness = await harnessOf();
    const { old, a, b } = await instancesOf(harness);
    await harness.router.apply(routesOf(1, [group('old', 10_000, old)]));
    const held = await heldUpAt(harness, '-t');
    const first = held.router.apply(routesOf(10, [group('old', 5_000, old), group('a', 5_000, a)]));
    await held.stands();
    await harness.router.apply(routesOf(12, [group('old', 0, old), group('b', 10_000, b)]));
    const include = await readFile(harness.spec.include, 'utf8');
    await harness.nginx.write('no_such_directive on;');
    await held.goOn();
    await assert.rejects(first, failsWith('router.refused', /no_such_directive/));
    assert.equal(await readFile(harness.spec.include, 'utf8'), include);
  });

  it('take a service away one after the other', async () => {
    const harness = await harnessOf();
    const { old, a } = await instancesOf(harness);
    await harness.router.apply(routesOf(1, [group('old', 10_000, old)]));
    const held = await heldUpAt(harness, '-T');
    const applied = held.router.apply(routesOf(10, [group('old', 5_000, old), group('a', 5_000, a)]));
    await held.stands();
    const removed = harness.router.remove(scope);
    await sleep(200);
    await held.goOn();
    await Promise.all([applied, removed]);
    assert.equal(await harness.router.read(scope), undefined);
    await assert.rejects(harness.request(), { code: 'ECONNREFUSED' });
  });

  it('bring no service back that was taken away while one of them stood still', async () => {
    const harness = await harnessOf();
    const { old, a } = await instancesOf(harness);
    await harness.router.apply(routesOf(1, [group('old', 10_000, old)]));
    const held = await heldUpAt(harness, '-T');
    const applied = held.router.apply(routesOf(10, [group('old', 5_000, old), group('a', 5_000, a)]));
    await held.stands();
    await harness.router.remove(scope);
    await held.goOn();
    await assert.rejects(applied, failsWith('router.stale', /taken away/));
    await assert.rejects(harness.request(), { code: 'ECONNREFUSED' });
    assert.equal(await harness.router.read(scope), undefined);
  });

  it('take no newer routes away when one of them thaws', async () => {
    const harness = await harnessOf();
    const { old, a, b } = await instancesOf(harness);
    await harness.router.apply(routesOf(1, [group('old', 10_000, old), group('a', 0, a)]));
    // With the same include, and with another one.
    for (const [revision, fresh] of [a, b].entries()) {
      const held = await heldUpAt(harness, '-T');
      const removed = held.router.remove(scope);
      await held.stands();
      await harness.router.apply(routesOf(revision + 2, [group('old', 0, old), group('new', 10_000, fresh)]));
      await held.goOn();
      await assert.rejects(removed, failsWith('router.stale', /newer routes/));
      assert.equal((await harness.request()).instance, fresh.instance);
      for (const name of ['waits', 'goes']) await rm(join(harness.nginx.directory, name));
    }
  });
});
