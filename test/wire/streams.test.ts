// Streams over the wire: items as they come, signs of life, failures, and an end on both sides when either goes.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../src/base/failure.ts';
import { silentLog } from '../../src/base/log.ts';
import type { LogLine } from '../../src/core/instance.ts';
import type { StreamItem } from '../../src/engine/controller.ts';
import { aRecord, aRollout, rejectsWith, shop } from '../../src/ports/store-samples.ts';
import { lineFormat, streamAnswer } from '../../src/server/stream-answer.ts';
import { fakeController, streamOf } from './fake-controller.ts';
import { serve } from './with-server.ts';

const items: readonly StreamItem[] = [1, 2, 3].map((sequence) => ({
  kind: 'record',
  record: { ...aRecord(aRollout('d-1', sequence), 'two\nlines — ü😀'), sequence },
}));

const live: StreamItem = {
  kind: 'live',
  scope: shop,
  deployment: 'd-1',
  live: {
    at: 5,
    judgement: {
      outcome: 'pass',
      verdicts: [],
      candidate: { release: 'shop@1', requests: 1, errors: 0, unanswered: 0 },
      lost: 0,
    },
    requestsPerSecond: 3,
  },
};

async function take<Item>(iterable: AsyncIterable<Item>, count: number): Promise<readonly Item[]> {
  const taken: Item[] = [];
  for await (const item of iterable) {
    taken.push(item);
    if (taken.length === count) break;
  }
  return taken;
}

describe('streams over the wire', () => {
  it('bring items as they come, and end on the other side when the reader stops', async (context) => {
    for (const way of ['process', 'socket', 'tcp'] as const) {
      const source = streamOf([...items, live]);
      const controller = fakeController({ stream: source.answer });
      const { clients } = await serve(context, controller);
      const query = { scope: shop, deployment: 'd-1', after: 0 };
      const taken = await take(clients[way].stream(query, new AbortController().signal), 4);
      assert.deepEqual(taken, [...items, live]);
      await source.ended;
      assert.deepEqual(structuredClone(controller.asked), [['stream', query]]);
    }
  });

  it('end without an error on both sides when the reader’s signal aborts', async (context) => {
    const source = streamOf(items);
    const { clients } = await serve(context, fakeController({ stream: source.answer }));
    const stop = new AbortController();
    const seen: StreamItem[] = [];
    for await (const item of clients.socket.stream({}, stop.signal)) {
      seen.push(item);
      if (seen.length === items.length) stop.abort();
    }
    assert.deepEqual(seen, items);
    await source.ended;
  });

  it('end when the controller’s stream ends', async (context) => {
    const line: LogLine = { release: 'shop@1', instance: 'i-1', stream: 'stdout', text: 'ready\u2028' };
    const controller = fakeController({
      async *logs() {
        yield line;
        yield { ...line, at: 9 };
      },
    });
    const { clients } = await serve(context, controller);
    const request = { scope: shop, instance: 'i-1', lastLines: 10, follow: false };
    const lines = await take(clients.tcp.logs(request, new AbortController().signal), 99);
    assert.deepEqual(lines, [line, { ...line, at: 9 }]);
    assert.deepEqual(structuredClone(controller.asked), [['logs', request]]);
  });

  it('bring a failure after the items before it', async (context) => {
    const failure = new Failure('store.corrupt', 'The store is damaged.', { remedy: 'Restore it.', at: 'store.db' });
    const controller = fakeController({
      async *stream() {
        yield* items;
        throw failure;
      },
    });
    const { clients } = await serve(context, controller);
    for (const client of Object.values(clients)) {
      const seen: StreamItem[] = [];
      const reading = (async () => {
        for await (const item of client.stream({}, new AbortController().signal)) seen.push(item);
      })();
      assert.deepEqual((await rejectsWith(reading, 'store.corrupt')).toJSON(), failure.toJSON());
      assert.deepEqual(seen, items);
    }
  });

  it('fail with server.unreachable when the server goes away in the middle', async (context) => {
    const source = streamOf(items);
    const { clients, listening } = await serve(context, fakeController({ stream: source.answer }));
    const stream = clients.tcp.stream({}, new AbortController().signal)[Symbol.asyncIterator]();
    await stream.next();
    const rest = (async () => {
      for (;;) if ((await stream.next()).done === true) return;
    })();
    await listening.close();
    await rejectsWith(rest, 'server.unreachable');
    await source.ended;
  });

  it('come as server-sent events to who asks for them, from where a browser left off', async (context) => {
    const source = streamOf([...items, live]);
    const controller = fakeController({ stream: source.answer });
    const { url } = await serve(context, controller);
    const stop = new AbortController();
    const answer = await fetch(`${url}/v1/events?service=shop&environment=production&after=1`, {
      headers: { accept: 'text/event-stream', 'last-event-id': '5' },
      signal: stop.signal,
    });
    assert.equal(answer.headers.get('content-type'), 'text/event-stream');
    let text = '';
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes('event: live')) break;
    }
    stop.abort();
    assert.match(text, /^id: 1\nevent: record\ndata: \{.*\}\n\nid: 2\n/);
    assert.deepEqual(structuredClone(controller.asked), [['stream', { scope: shop, after: 5 }]]);
    await source.ended;
  });

  it('give signs of life while there is nothing to tell, and lose no item by them', async () => {
    const { promise: later, resolve } = Promise.withResolvers<void>();
    const answer = streamAnswer({
      async *items() {
        await later;
        yield 'late';
      },
      gone: new AbortController().signal,
      format: lineFormat,
      log: silentLog,
      heartbeatMs: 5,
    });
    let text = '';
    for await (const chunk of answer.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text === '\n\n\n') resolve();
    }
    assert.match(text, /^\n\n\n+"late"\n$/);
  });

  it('do not read ahead of a slow reader', async (context) => {
    let made = 0;
    const big = 'x'.repeat(64 * 1024);
    const controller = fakeController({
      async *logs() {
        for (; made < 10_000; made += 1) yield { release: 'r', instance: 'i', stream: 'stdout' as const, text: big };
      },
    });
    const { clients } = await serve(context, controller);
    const stop = new AbortController();
    const reader = clients.tcp.logs({ scope: shop, lastLines: 0, follow: true }, stop.signal)[Symbol.asyncIterator]();
    await reader.next();
    let before = -1;
    while (before !== made) {
      before = made;
      await sleep(200);
    }
    assert.ok(made < 5000, `${made} lines of 64 KiB were made for a reader that took one`);
    stop.abort();
    await reader.return?.();
  });
});
