import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { Failure } from '../../../../base/failure.ts';
import type { HaproxyRouterSpec } from '../../../../core/plan/spec.ts';
import type { RouteGroup, RouteMatch, Routes } from '../../../../core/routes.ts';
import { generationName, type Layout, layoutFor, positionsOf } from './layout.ts';
import { generationOf, mapFileName } from './names.ts';
import { nameOfSeat, place } from './placement.ts';
import {
  decidingKey,
  decidingLine,
  headFields,
  recordEntries,
  recordIn,
  type RoutesRecord,
  slotFields,
} from './record.ts';
import { layoutTextIn, render } from './render.ts';

const address = { host: '127.0.0.1', port: 8080 };

const spec: HaproxyRouterSpec = {
  driver: 'haproxy',
  listen: address,
  directory: '/etc/haproxy/sluice',
  socket: { path: '/run/haproxy.sock' },
  reload: { kind: 'pidFile', path: '/run/haproxy.pid' },
  feed: { listen: address, reach: address },
  limits: { idleMs: 1000, answerMs: 1000 },
  trustForwarded: false,
};

const routesOf = (groups: readonly RouteGroup[], more: Partial<Routes> = {}): Routes => ({
  scope: { service: 'shop', environment: 'test' },
  revision: 1,
  groups,
  rules: [],
  ...more,
});

const groupOf = (release: string, share: number, instances: readonly string[]): RouteGroup => ({
  release,
  share,
  endpoints: instances.map((instance) => ({ instance, address: { host: '10.0.0.1', port: 1000 + instance.length } })),
});

/** What is in force after these routes, one after the other, with the layout grown where it had to. */
function inForce(history: readonly Routes[]): { readonly record: RoutesRecord; readonly layout: Layout } {
  let layout: Layout | undefined;
  let record: RoutesRecord | undefined;
  for (const routes of history) {
    const placed = place(routes, record, { servers: layout?.servers ?? 10 }, new Set());
    record = placed.record;
    layout = layoutFor(spec, routes, layout, placed.room);
  }
  assert.ok(layout !== undefined && record !== undefined);
  return { record, layout };
}

const release = fc.constantFrom('a@1', 'b@2', 'c@3', 'd@4');
const instances = fc.uniqueArray(fc.constantFrom(...Array.from({ length: 15 }, (_, index) => 'i'.repeat(index + 1))), {
  maxLength: 15,
});
const change = fc
  .uniqueArray(fc.tuple(release, instances), { minLength: 1, maxLength: 3, selector: ([name]) => name })
  .map((groups) => routesOf(groups.map(([name, names], index) => groupOf(name, index === 0 ? 10_000 : 0, names))));

describe('placement', () => {
  it('every instance has a server of its own, within the layout, whatever came before', () => {
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), (history) => {
        const { record, layout } = inForce(history);
        const endpoints = record.routes.groups.flatMap((group) =>
          group.endpoints.map(({ instance }) => `${group.release} ${instance}`),
        );
        assert.deepEqual(
          record.seats.map((seat) => `${record.slots[seat.slot]} ${seat.instance}`).sort(),
          endpoints.sort(),
        );
        const names = [...record.seats, ...record.left].map(nameOfSeat);
        assert.equal(new Set(names).size, names.length);
        for (const seat of record.seats) assert.ok(seat.index <= layout.servers);
        assert.ok(Object.keys(record.slots).every((slot) => (slot.codePointAt(0) ?? 0) - 97 < layout.slots));
      }),
    );
  });

  it('who has traffic keeps its server, and no slot or server in force goes to another at once', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), change, change, (history, before, after) => {
        const old = inForce([...history, before]);
        const { record } = place(after, old.record, old.layout, new Set());
        const oldSeats = new Map(old.record.seats.map((seat) => [nameOfSeat(seat), seat.instance]));
        for (const [slot, name] of Object.entries(record.slots)) assert.ok((old.record.slots[slot] ?? name) === name);
        for (const seat of record.seats) {
          const former = oldSeats.get(nameOfSeat(seat));
          assert.ok(former === undefined || former === seat.instance);
        }
      }),
    );
  });

  it('a server with requests in flight is not given to another instance', () => {
    const { record } = place(routesOf([groupOf('a', 10_000, ['i'])]), undefined, { servers: 2 }, new Set(['a1']));
    assert.deepEqual(record.seats.map(nameOfSeat), ['a2']);
    const full = place(routesOf([groupOf('a', 10_000, ['i'])]), undefined, { servers: 1 }, new Set(['a1']));
    assert.equal(full.room.servers, 2);
  });
});

describe('what decides about requests', () => {
  const thresholds = (groups: readonly RouteGroup[]): number[] => {
    const { record, layout } = inForce([routesOf(groups)]);
    const fields = decidingLine(record, layout, false).split(':');
    return Array.from({ length: layout.slots }, (_, slot) => Number(fields[headFields + slotFields * slot]));
  };

  it('has the shares, those of releases without instances given to the others', () => {
    assert.deepEqual(thresholds([groupOf('a', 9_900, ['i']), groupOf('b', 100, ['ii'])]), [9_900, 10_000, 10_000]);
    assert.deepEqual(thresholds([groupOf('a', 5_000, []), groupOf('b', 5_000, ['ii'])]), [10_000, 10_000, 10_000]);
    assert.deepEqual(thresholds([groupOf('a', 10_000, []), groupOf('b', 0, ['ii'])]), [0, 0, 0]);
  });

  it('passes over a rule whose release has no instance', () => {
    const match: RouteMatch = { header: 'x-canary', equals: 'yes' };
    const routes = routesOf([groupOf('a', 10_000, ['i']), groupOf('b', 0, [])], { rules: [{ release: 'b', match }] });
    const { record, layout } = inForce([routes]);
    assert.match(decidingLine(record, layout, false), /:-:-$/);
  });

  it('is read back whole, however long, and not when a part of it is missing or changed', () => {
    const routes = routesOf([
      groupOf(
        'a',
        10_000,
        Array.from({ length: 200 }, (_, index) => 'x'.repeat(index + 1)),
      ),
    ]);
    const { record, layout } = inForce([routes]);
    const entries = new Map([...recordEntries(record), [decidingKey, decidingLine(record, layout, false)] as const]);
    assert.ok(entries.size > 3);
    assert.deepEqual(recordIn(entries), record);
    const [first = ''] = entries.keys();
    assert.equal(recordIn(new Map([...entries].filter(([key]) => key !== first))), undefined);
    assert.equal(recordIn(new Map([...entries, [first, 'AAAA']])), undefined);
  });
});

describe('the layout', () => {
  const withRules = (...names: readonly string[]): Routes =>
    routesOf([groupOf('a', 10_000, ['i'])], {
      rules: names.map((header) => ({ release: 'a', match: { header, equals: 'yes' } })),
    });

  it('stays the same as long as rules find their names in it in order, and grows otherwise', () => {
    const { layout } = inForce([withRules('x', 'y')]);
    for (const same of [withRules(), withRules('x'), withRules('y'), withRules('x', 'y')]) {
      assert.equal(generationName(layoutFor(spec, same, layout, { slots: 1, servers: 1 })), generationName(layout));
    }
    const grown = layoutFor(spec, withRules('y', 'x'), layout, { slots: 1, servers: 1 });
    assert.notEqual(generationName(grown), generationName(layout));
    assert.deepEqual(positionsOf(grown.rules, [{ header: 'y' }, { header: 'x' }]), [1, 3]);
  });

  it('is found again in the configuration that was rendered from it', () => {
    const { record, layout } = inForce([withRules('x')]);
    const map = mapFileName(record.routes.scope, generationName(layout), 7);
    assert.deepEqual(JSON.parse(layoutTextIn(render(layout, record, `/a/${map}`).config) ?? ''), layout);
    assert.equal(generationOf(record.routes.scope, `/a/${map}`), generationName(layout));
    assert.equal(generationOf({ service: 'shop', environment: 'testing' }, `/a/${map}`), undefined);
  });

  it('refuses a name that could not stand in the configuration as it is', () => {
    for (const name of ['x y', 'x)', '"', '', 'ü', 'a\nb', '{ path /x }']) {
      assert.throws(
        () => layoutFor(spec, withRules(name), undefined, { slots: 1, servers: 1 }),
        (thrown) => thrown instanceof Failure && thrown.code === 'plan.unsupported',
      );
    }
  });
});
