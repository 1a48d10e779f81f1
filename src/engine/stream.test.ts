import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canary, scope } from '../../test/engine/specs.ts';
import { inWorld, type EngineWorld } from '../../test/engine/world.ts';
import type { StreamItem, StreamQuery } from './controller.ts';
import type { Engine } from './engine.ts';

/** Reads a stream beside the test, until it is stopped. */
function follow(engine: Engine, query: StreamQuery) {
  const stop = new AbortController();
  const items: StreamItem[] = [];
  const done = (async () => {
    for await (const item of engine.stream(query, stop.signal)) items.push(item);
  })();
  return { items, sequences: () => sequencesOf(items), stop, done };
}

function sequencesOf(items: readonly StreamItem[]): readonly number[] {
  return items.flatMap((item) => (item.kind === 'record' ? [item.record.sequence] : []));
}

async function allSequences(world: EngineWorld, after = 0): Promise<readonly number[]> {
  return (await world.store.records({ after, limit: 1_000 })).map((record) => record.sequence);
}

test(
  'a stream gives what is kept from the asked-for number on, then what happens, each record once and in order',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const all = follow(engine, { after: 0 });
    const later = follow(engine, { after: 3 });
    await world.pass(1_000);
    assert.deepEqual(all.sequences(), await allSequences(world));
    await world.deployed(engine, 'v2');
    await world.pass(1_000);
    assert.deepEqual(all.sequences(), await allSequences(world));
    assert.deepEqual(later.sequences(), await allSequences(world, 3));
    for (const { stop } of [all, later]) stop.abort();
    await world.result(Promise.all([all.done, later.done]));
  }),
);

test(
  'without a number a stream tells only what happens from now on',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const before = (await allSequences(world)).at(-1) ?? 0;
    const fresh = follow(engine, { scope });
    await world.pass(1_000);
    assert.deepEqual(fresh.items, []);
    await world.deployed(engine, 'v2');
    await world.pass(1_000);
    assert.deepEqual(fresh.sequences(), await allSequences(world, before));
    fresh.stop.abort();
    await world.result(fresh.done);
  }),
);

test(
  'live numbers come between the records of a hold, and are told to those whom they concern',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const { id } = await world.deploy(engine, 'v2', { strategy: canary });
    const mine = follow(engine, { deployment: id, after: 0 });
    const other = follow(engine, { deployment: 'd-other', after: 0 });
    const elsewhere = follow(engine, { scope: { ...scope, environment: 'staging' }, after: 0 });
    await world.ended(id);
    await world.pass(1_000);
    const kinds = mine.items.map((item) => (item.kind === 'live' ? 'live' : item.record.to));
    assert.ok(kinds.indexOf('live') > kinds.indexOf('CANARY_WAITING'));
    assert.ok(kinds.indexOf('live') < kinds.indexOf('VERIFIED'));
    const live = mine.items.find((item) => item.kind === 'live');
    assert.ok(live?.kind === 'live' && live.deployment === id && live.live.judgement.candidate.requests >= 0);
    assert.deepEqual([other.items, elsewhere.items], [[], []]);
    for (const { stop } of [mine, other, elsewhere]) stop.abort();
    await world.result(Promise.all([mine.done, other.done, elsewhere.done]));
  }),
);

test(
  'records that another controller commits are told too',
  inWorld(async (world, engine) => {
    const reader = world.controller().engine;
    const all = follow(reader, { after: 0 });
    await world.deployed(engine, 'v1');
    await world.pass(1_000);
    assert.deepEqual(all.sequences(), await allSequences(world));
    all.stop.abort();
    await world.result(all.done);
  }),
);

test(
  'a reader that takes nothing for long keeps only the newest live numbers, and no record is lost to it',
  inWorld(async (world, engine) => {
    await world.deployed(engine, 'v1');
    const stop = new AbortController();
    const reader = engine.stream({ after: 0 }, stop.signal)[Symbol.asyncIterator]();
    await world.result(reader.next());
    const manual = { ...canary, promotion: 'manual', maxHoldMs: 600_000 } as const;
    const { id } = await world.deploy(engine, 'v2', { strategy: manual });
    await world.reaches(id, 'AWAITING_APPROVAL');
    await world.pass(300_000);
    const items: StreamItem[] = [];
    const kept = await allSequences(world, 1);
    while (sequencesOf(items).at(-1) !== kept.at(-1)) {
      const { value } = await world.result(reader.next());
      items.push(value as StreamItem);
      assert.ok(items.length <= kept.length + 16, 'no more live numbers than are kept for a slow reader');
    }
    assert.deepEqual(sequencesOf(items), kept);
    assert.ok(items.some((item) => item.kind === 'live'));
    stop.abort();
    await world.command(engine, { kind: 'abort', reason: 'enough' });
    await world.ended(id);
  }),
);
