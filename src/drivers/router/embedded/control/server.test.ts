import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';

import type { Sample } from '../../../../core/gate/sample.ts';
import { Bench, until } from '../harness.ts';
import { SampleFeed } from '../proxy/sample-feed.ts';
import { decodeBatch, encodeBatch } from './batch-format.ts';
import { ControlServer } from './server.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

const sample = (at: number): Sample => ({
  at,
  release: at % 2 === 0 ? 'old' : 'new',
  instance: `i-${at % 3}`,
  status: 200,
  latencyMs: 1.25,
  via: 'sticky',
  origin: 'router',
});

async function serve(): Promise<{ feed: SampleFeed; path: string }> {
  const path = join(await bench.directory(), 'control.sock');
  const feed = new SampleFeed();
  const server = new ControlServer(path, feed, () => Promise.resolve({}));
  await server.listen();
  bench.onEnd(async () => {
    await server.close();
    server.destroy();
  });
  return { feed, path };
}

class Reader {
  readonly socket;
  told = 0;
  lost = 0;
  #text = '';
  #first = true;

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.write('{"protocol":1,"request":{"kind":"feed"}}\n');
    bench.onEnd(() => this.socket.destroy());
  }

  /** Reads from now on; until then nobody takes anything out of the socket. */
  begin(): void {
    this.socket.on('data', (chunk: Buffer) => {
      const lines = (this.#text + chunk.toString()).split('\n');
      this.#text = lines.pop() ?? '';
      for (const line of lines) this.#take(line);
    });
  }

  #take(line: string): void {
    const batch = decodeBatch(line);
    if (batch === undefined) {
      assert.ok(this.#first, line);
      this.#first = false;
      return;
    }
    this.told += batch.samples.length;
    this.lost += batch.lost;
  }
}

it('a batch is the same on the other side', () => {
  const batch = {
    samples: [sample(1), sample(2), { ...sample(3), status: 503, via: 'preview', origin: 'instance' } as const],
    lost: 4,
  };
  assert.deepEqual(decodeBatch(encodeBatch(batch)), batch);
  assert.equal(decodeBatch('{"of":[],"rows":[[1,0,200,1,0,0]],"lost":0}'), undefined);
  assert.equal(decodeBatch('nonsense'), undefined);
});

it('a reader that does not read loses samples, is told how many, and holds up nobody', async () => {
  const { feed, path } = await serve();
  const slow = new Reader(path);
  const quick = new Reader(path);
  quick.begin();
  slow.socket.once('readable', () => undefined);
  await until(() => quick.socket.bytesRead > 0 && slow.socket.bytesRead > 0, 'both are readers');
  let made = 0;
  const make = (count: number): void => {
    for (let more = 0; more < count; more++) feed.record(sample((made += 1)));
    feed.flush();
  };
  for (let round = 0; round < 200; round++) {
    make(1_000);
    await until(() => quick.told === made, 'the quick reader has all');
  }
  assert.equal(quick.lost, 0);
  slow.begin();
  await until(() => {
    // What was lost is told with the next batch.
    make(1);
    return slow.lost > 0;
  }, 'the slow reader learns of its loss');
  await until(() => slow.told + slow.lost === made, 'every sample is told of or lost');
  assert.ok(slow.told > 1_000);
  await until(() => quick.told === made, 'the quick reader has all');
});

it('what comes faster than a batch can hold is counted as lost', async () => {
  const { feed, path } = await serve();
  const reader = new Reader(path);
  reader.begin();
  await until(() => feed.wanted, 'there is a reader');
  for (let made = 1; made <= 25_000; made++) feed.record(sample(made));
  await until(() => reader.told + reader.lost === 25_000, 'all is told of or lost');
  assert.equal(reader.lost, 5_000);
});

it('nothing is wanted when nobody reads', async () => {
  const { feed, path } = await serve();
  assert.equal(feed.wanted, false);
  const reader = new Reader(path);
  reader.begin();
  await until(() => feed.wanted, 'there is a reader');
  reader.socket.destroy();
  await once(reader.socket, 'close');
  await until(() => !feed.wanted, 'the reader is gone');
});
