// A controller that is killed between any two changes of files and signals: HAProxy goes on, and the next controller has nothing left over.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { it } from 'node:test';
import { promisify } from 'node:util';

import { killedAt } from '../../../../test/killed-at.ts';
import { findHaproxy, withoutHaproxy } from '../../../../test/programs/haproxy.ts';
import type { RouteRule, Routes } from '../../../core/routes.ts';
import { Bench, get, group, routerFor, routesOf, scope, type TestRouter } from './harness.ts';

const run = promisify(execFile);

/** Files and directories that only a change under way may have. */
async function leftOver({ haproxy }: TestRouter): Promise<readonly string[]> {
  return (await readdir(haproxy.own)).filter((name) => /\.tmp$|^check-/.test(name));
}

/** Applies routes again and again, killed one change later each time, until they are through; `next` makes them anew. */
async function walk(there: TestRouter, next: () => readonly [to: Routes, back: Routes]): Promise<number> {
  const { haproxy, spec } = there;
  const program = (await findHaproxy()) ?? '';
  for (let change = 1; ; change += 1) {
    const [to, back] = next();
    const missed = await killedAt(change, haproxy.directory, () => routerFor(spec).router.apply(to));
    const words = `killed before change ${change}, ${missed}`;
    await assert.doesNotReject(run(program, ['-c', ...haproxy.command]), words);
    const meanwhile = await get(spec.listen);
    assert.ok(['old', 'new'].includes(meanwhile.body), `${words}: ${JSON.stringify(meanwhile)}`);
    const { router } = routerFor(spec);
    await router.apply(to);
    assert.equal((await get(spec.listen)).body, 'new', words);
    assert.deepEqual(JSON.parse(JSON.stringify(await router.read(scope))), to, words);
    assert.deepEqual(await leftOver(there), [], words);
    if (missed === undefined) return change;
    await router.apply(back);
  }
}

it(
  'a controller killed between any two changes leaves nothing that stays',
  { skip: withoutHaproxy },
  async (context) => {
    const bench = new Bench();
    context.after(() => bench.end());
    const there = await bench.router();
    const [old, fresh] = [await bench.instance('old'), await bench.instance('new')];
    let revision = 0;
    const both = (share: number, rules: readonly RouteRule[]): Routes =>
      routesOf((revision += 1), [group('old', 10_000 - share, old), group('new', share, fresh)], { rules });
    await there.router.apply(both(0, []));
    const moved = await walk(there, () => [both(10_000, []), both(0, [])]);
    // A header that HAProxy does not look at yet needs another configuration.
    const reloaded = await walk(there, () => {
      const rules = [{ release: 'new', match: { header: `x-${revision}`, equals: 'yes' } }];
      return [both(10_000, rules), both(0, [])];
    });
    assert.ok(reloaded > moved && moved > 3, `${moved} and ${reloaded} changes`);
    context.diagnostic(`${moved} changes to move, ${reloaded} with another configuration`);
  },
);

/** Removes the service again and again, killed one change later each time, until that is through; `next` follows each kill. */
async function walkRemoval(there: TestRouter, routes: Routes, next: (words: string) => Promise<void>): Promise<number> {
  const { haproxy, spec } = there;
  const program = (await findHaproxy()) ?? '';
  for (let change = 1; ; change += 1) {
    await routerFor(spec).router.apply(routes);
    const missed = await killedAt(change, haproxy.directory, () => routerFor(spec).router.remove(scope));
    const words = `killed before change ${change}, ${missed}`;
    await assert.doesNotReject(run(program, ['-c', ...haproxy.command]), words);
    await next(words);
    if (missed === undefined) return change;
  }
}

it(
  'a removal that is killed between any two changes is ended by the next one, and is in the way of no routes',
  { skip: withoutHaproxy },
  async (context) => {
    const bench = new Bench();
    context.after(() => bench.end());
    const there = await bench.router();
    const { haproxy, spec } = there;
    const old = await bench.instance('old');
    const routes = routesOf(7, [group('old', 10_000, old)]);
    const removed = async (words: string): Promise<void> => {
      const { router } = routerFor(spec);
      await router.remove(scope);
      assert.equal(await router.read(scope), undefined, words);
      await assert.rejects(get(spec.listen), { code: 'ECONNREFUSED' }, words);
      assert.deepEqual(await readdir(haproxy.own), ['.sluice.lock'], words);
    };
    const changes = await walkRemoval(there, routes, removed);
    await walkRemoval(there, routes, async (words) => {
      const { router } = routerFor(spec);
      await router.check(scope);
      await router.apply({ ...routes, revision: 8 });
      assert.equal((await get(spec.listen)).body, 'old', words);
      await removed(words);
    });
    assert.ok(changes > 5, `${changes} changes`);
    context.diagnostic(`${changes} changes to remove a service`);
  },
);
