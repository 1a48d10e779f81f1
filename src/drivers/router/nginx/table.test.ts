import assert from 'node:assert/strict';
import { posix } from 'node:path';
import { describe, it } from 'node:test';
import { array, assert as hold, integer, property } from 'fast-check';

import type { RouteGroup, Routes } from '../../../core/routes.ts';
import { fitModel, type Model } from './model.ts';
import { releaseToken } from './names.ts';
import { digits, type Table, tableOf } from './table.ts';

const scope = { service: 'shop', environment: 'test' };
const empty: Model = {
  version: 1,
  scope,
  generation: 1,
  askToken: 'a'.repeat(32),
  feedToken: 'b'.repeat(32),
  feedPort: 32_000,
  slots: [],
  rules: [],
};

function groupOf(release: string, share: number, instances = 1): RouteGroup {
  const port = release.charCodeAt(0) * 10;
  const endpoints = Array.from({ length: instances }, (_, index) => ({
    instance: `${release}-${index}`,
    address: { host: '127.0.0.1', port: port + index },
  }));
  return { release, share, endpoints };
}

function routesOf(groups: readonly RouteGroup[], more: Partial<Routes> = {}): Routes {
  return { scope, revision: 1, groups, rules: [], ...more };
}

function made(routes: Routes): { readonly table: Table; readonly model: Model } {
  const model = fitModel(empty, routes, false);
  return { table: tableOf(routes, model, 1), model };
}

/** Where a path within the table leads, as the system follows links; undefined where it leads nowhere. */
function realPath(table: Table, path: string): string | undefined {
  const root = 'tables/it';
  const links = new Map(table.links.map(([link, target]) => [`${root}/${link}`, target]));
  const directories = new Set(['tables', root, 'to', ...table.directories.map((name) => `${root}/${name}`)]);
  for (const name of table.destinations) {
    directories.add(`to/${name}`);
    for (const digit of digits) links.set(`to/${name}/${digit}`, '.');
  }
  let at = '';
  const rest = `${root}/${path}`.split('/');
  for (let steps = 0; rest.length > 0; steps++) {
    assert.ok(steps < 100, `links of ${path} go round in a circle`);
    const next = posix.join(at, rest.shift() ?? '');
    const target = links.get(next);
    if (target !== undefined) rest.unshift(...target.split('/').filter((part) => part !== '.'));
    else if (next === '.' || directories.has(next)) at = next === '.' ? '' : next;
    else return undefined;
  }
  return at;
}

const bucketPath = (kind: string, bucket: number): string =>
  [kind, ...Array.from(String(bucket).padStart(4, '0'))].join('/');

/** How many buckets lead to which release's destination. */
function counts(table: Table, kind = 'share'): Map<string, number> {
  const found = new Map<string, number>();
  for (let bucket = 0; bucket < 10_000; bucket++) {
    const place = realPath(table, bucketPath(kind, bucket)) ?? 'nowhere';
    found.set(place, (found.get(place) ?? 0) + 1);
  }
  return found;
}

const place = (model: Model, release: string, keep = ''): string => {
  const slot = model.slots.find(({ servers }) => servers[0] === `127.0.0.1:${release.charCodeAt(0) * 10}`);
  return `to/${slot?.id}-${releaseToken(scope, release)}${keep}`;
};

describe('the table of requests', () => {
  it('gives each release exactly its basis points of the buckets', () => {
    hold(
      property(integer({ min: 0, max: 10_000 }), (share) => {
        const { table, model } = made(routesOf([groupOf('a', 10_000 - share), groupOf('b', share)]));
        const found = counts(table);
        assert.equal(found.get(place(model, 'b')) ?? 0, share);
        assert.equal(found.get(place(model, 'a')) ?? 0, 10_000 - share);
      }),
      { numRuns: 8 },
    );
  });

  it('spreads any number of releases over all buckets', () => {
    hold(
      property(array(integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 5 }), (weights) => {
        const sum = weights.reduce((total, weight) => total + weight, 0);
        const shares = weights.map((weight) => Math.floor((weight * 10_000) / sum));
        shares[0] = (shares[0] ?? 0) + 10_000 - shares.reduce((total, share) => total + share, 0);
        const { table, model } = made(routesOf(shares.map((share, index) => groupOf('abcde'[index] ?? '', share))));
        const found = counts(table);
        for (const [index, share] of shares.entries())
          assert.equal(found.get(place(model, 'abcde'[index] ?? '')) ?? 0, share);
      }),
      { numRuns: 4 },
    );
  });

  it('takes no bucket from a share that grows', () => {
    const before = made(routesOf([groupOf('a', 9_000), groupOf('b', 1_000)]));
    const after = made(routesOf([groupOf('a', 6_543), groupOf('b', 3_457)]));
    for (let bucket = 0; bucket < 10_000; bucket++) {
      if (realPath(before.table, bucketPath('share', bucket)) !== place(before.model, 'b')) continue;
      assert.equal(realPath(after.table, bucketPath('share', bucket)), place(after.model, 'b'));
    }
  });

  it('gives the share of a release without instances to the others, and nobody’s to nobody', () => {
    const { table, model } = made(routesOf([groupOf('a', 3_000), groupOf('b', 7_000, 0)]));
    assert.deepEqual([...counts(table)], [[place(model, 'a'), 10_000]]);
    assert.deepEqual([...counts(made(routesOf([groupOf('a', 10_000, 0)])).table)], [['to/0-none', 10_000]]);
    assert.deepEqual([...counts(made(routesOf([])).table)], [['to/0-none', 10_000]]);
  });

  it('keeps visitors with a release that has a share, and spreads those of others', () => {
    const sticky = { cookie: 'seen', maxAgeMs: 1000 };
    const { table, model } = made(routesOf([groupOf('a', 10_000), groupOf('b', 0)], { sticky }));
    const [a, b] = [releaseToken(scope, 'a'), releaseToken(scope, 'b')];
    assert.ok(table.directories.includes(`keep-on/${a}`) && !table.directories.includes(`keep-on/${b}`));
    assert.deepEqual([...counts(table, `keep/${a}`)], [[place(model, 'a'), 10_000]]);
    // A request that was on its way there when the share was taken gets what anybody gets.
    assert.deepEqual([...counts(table, `keep/${b}`)], [[place(model, 'a', '-keep'), 10_000]]);
    const off = tableOf(routesOf([groupOf('a', 10_000), groupOf('b', 0)]), model, 1);
    assert.ok(!off.directories.some((name) => name.startsWith('keep-on/')));
    assert.deepEqual([...counts(off, `keep/${a}`)], [[place(model, 'a'), 10_000]]);
  });

  it('passes over rules that are not in force, or whose release has no instances', () => {
    const match = { header: 'x', equals: '1' };
    const rules = [{ release: 'b', match }];
    const on = made(routesOf([groupOf('a', 10_000), groupOf('b', 0)], { rules }));
    assert.ok(on.table.directories.includes('rule-on/0'));
    assert.deepEqual([...counts(on.table, 'rule/0')], [[place(on.model, 'b'), 10_000]]);
    const off = tableOf(routesOf([groupOf('a', 10_000), groupOf('b', 0)]), on.model, 1);
    assert.ok(!off.directories.includes('rule-on/0'));
    assert.deepEqual([...counts(off, 'rule/0')], [[place(on.model, 'a'), 10_000]]);
    const gone = tableOf(routesOf([groupOf('a', 10_000), groupOf('b', 0, 0)], { rules }), on.model, 1);
    assert.ok(!gone.directories.includes('rule-on/0'));
  });

  it('is small', () => {
    const { table } = made(routesOf([groupOf('a', 6_543), groupOf('b', 3_457)]));
    assert.ok(table.links.length <= 41, `${table.links.length} links`);
    assert.equal(made(routesOf([groupOf('a', 10_000), groupOf('b', 0)])).table.links.length, 2);
  });
});
