import assert from 'node:assert/strict';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Sample } from '../../../core/gate/sample.ts';
import type { Clock } from '../../../ports/clock.ts';
import { freePort } from '../../../../test/free-port.ts';
import { LogFeed, type LogFeedOptions } from './feed.ts';

const token = 'feed1234feed1234';
const clock: Clock = {
  now: () => 1_732_181_531_000,
  sleep: (durationMs, signal) => sleep(durationMs, undefined, { signal }).then(undefined, () => undefined),
};
const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

const line = (place = 's1', status = 200): string =>
  `<190>Nov 21 09:32:11 sluice: sluice1 ${token} - ${place} 127.0.0.1:1 ${status} 5ms share instance`;

class Reading {
  readonly samples: Sample[] = [];
  lost = 0;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(feed: LogFeed) {
    this.#done = (async () => {
      for await (const batch of feed.read(this.#stop.signal)) {
        this.samples.push(...batch.samples);
        this.lost += batch.lost;
      }
    })();
    ends.push(() => this.end());
  }

  async end(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

async function feedOf(changes: Partial<LogFeedOptions> = {}): Promise<{ feed: LogFeed; port: number }> {
  const port = changes.port ?? (await freePort());
  const feed = new LogFeed({
    transport: 'udp',
    host: '127.0.0.1',
    port,
    token,
    resolve: ({ place }) => (place === undefined ? undefined : { release: place, instance: `${place}-1` }),
    clock,
    ...changes,
  });
  return { feed, port };
}

function sender(): Socket {
  const socket = createSocket('udp4');
  ends.push(() => socket.close());
  return socket;
}

async function until(holds: () => boolean, what: string, again?: () => void): Promise<void> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    if (holds()) return;
    again?.();
    await sleep(20);
  }
  assert.fail(`did not happen: ${what}`);
}

/** Sends a line again and again until the feed has one. */
async function listening(feed: LogFeed, socket: Socket, port: number): Promise<void> {
  await until(
    () => feed.counts.strangers > 0,
    'the feed listens',
    () => socket.send('knock', port, '127.0.0.1'),
  );
}

describe('the feed of a log', () => {
  it('gives every line as a sample to everybody who reads', async () => {
    const { feed, port } = await feedOf();
    const [one, other, socket] = [new Reading(feed), new Reading(feed), sender()];
    await listening(feed, socket, port);
    for (const text of [line(), line('s2', 503), line('-')]) socket.send(text, port, '127.0.0.1');
    await until(() => feed.counts.received === 3 && one.samples.length === 2 && other.samples.length === 2, 'all come');
    assert.deepEqual(one.samples, other.samples);
    assert.deepEqual(one.samples[1], {
      at: 1_732_181_531_000,
      release: 's2',
      instance: 's2-1',
      status: 503,
      latencyMs: 5,
      via: 'share',
      origin: 'instance',
    });
    assert.equal(one.lost, 0);
  });

  it('counts lines that do not parse as lost, and strangers not', async () => {
    const { feed, port } = await feedOf();
    const [reading, socket] = [new Reading(feed), sender()];
    await listening(feed, socket, port);
    socket.send(line('s1').replace('share', 'luck'), port, '127.0.0.1');
    socket.send(line('s1').replace(token, 'abcd'), port, '127.0.0.1');
    socket.send(Buffer.alloc(9000, 0xff), port, '127.0.0.1');
    socket.send(line('s1'), port, '127.0.0.1');
    await until(() => reading.samples.length === 1, 'the good line comes');
    assert.deepEqual([reading.lost, feed.counts.unparsed], [1, 1]);
  });

  it('receives or counts every line of a burst', async () => {
    const { feed, port } = await feedOf();
    const [reading, socket] = [new Reading(feed), sender()];
    await listening(feed, socket, port);
    const text = line();
    // The system keeps a burst waiting in the sender's hands only as long as its buffers have room.
    const sent = 50_000;
    for (let round = 0; round < sent / 1000; round++) {
      const { promise, resolve } = Promise.withResolvers<void>();
      for (let count = 0; count < 999; count++) socket.send(text, port, '127.0.0.1');
      socket.send(text, port, '127.0.0.1', () => resolve());
      await promise;
    }
    await until(() => reading.samples.length + reading.lost === sent, 'every line is received or counted as lost');
  });

  it('reads a stream as well', async () => {
    const { feed, port } = await feedOf({ transport: 'tcp' });
    const reading = new Reading(feed);
    const connection = await connected(port);
    connection.write(`${line()}\n${line('s2').length} ${line('s2')}`);
    await until(() => reading.samples.length === 2, 'both come');
    assert.deepEqual(
      reading.samples.map(({ release }) => release),
      ['s1', 's2'],
    );
  });

  it('waits for a port that is taken', async () => {
    const port = await freePort();
    const stranger = createSocket('udp4').bind(port, '127.0.0.1');
    await once(stranger, 'listening');
    const told: string[] = [];
    const { feed } = await feedOf({ port, log: { write: (_level, message) => void told.push(message) } });
    const [reading, socket] = [new Reading(feed), sender()];
    await until(() => told.includes('the feed of the router waits'), 'it is told of');
    stranger.close();
    await listening(feed, socket, port);
    socket.send(line(), port, '127.0.0.1');
    await until(() => reading.samples.length === 1, 'the line comes');
  });

  it('leaves its port when nobody reads any more, and takes it again', async () => {
    const { feed, port } = await feedOf();
    const [reading, socket] = [new Reading(feed), sender()];
    await listening(feed, socket, port);
    await reading.end();
    const stranger = createSocket('udp4').bind(port, '127.0.0.1');
    await once(stranger, 'listening');
    stranger.close();
    await once(stranger, 'close');
    const again = new Reading(feed);
    await until(
      () => again.samples.length > 0,
      'a line comes',
      () => socket.send(line(), port, '127.0.0.1'),
    );
  });

  it('notices lines that the router wrote and that never came', async () => {
    let finished = 0;
    let looks = 0;
    const totals = async (): Promise<number> => {
      looks += 1;
      return finished;
    };
    const { feed, port } = await feedOf({ totals });
    const [reading, socket] = [new Reading(feed), sender()];
    await listening(feed, socket, port);
    await until(() => looks > 1, 'the count begins');
    for (let sent = 0; sent < 10; sent++) socket.send(line(), port, '127.0.0.1');
    finished = 10;
    await until(() => reading.samples.length === 10, 'all come');
    finished = 15;
    await until(() => reading.lost > 0, 'the loss is told of');
    assert.equal(reading.lost, 5);
  });

  it('loses no line that is there and was not read yet', async () => {
    const { port, socket } = { port: await freePort(), socket: sender() };
    let finished = 0;
    let looks = 0;
    const text = line();
    const totals = async (): Promise<number> => {
      // Every look is asked for without a pause.
      if (looks === 20) await sleep(20);
      if (looks === 20) return finished;
      const { promise, resolve } = Promise.withResolvers<void>();
      for (let sent = 1; sent < 200; sent++) socket.send(text, port, '127.0.0.1');
      socket.send(text, port, '127.0.0.1', () => resolve());
      await promise;
      looks += 1;
      finished += 200;
      return finished;
    };
    // A clock that does not wait, as if what takes time here had taken no time.
    const hasty: Clock = { ...clock, sleep: async () => undefined };
    const { feed } = await feedOf({ port, totals, clock: hasty });
    const reading = new Reading(feed);
    await until(() => looks === 20 && feed.counts.received + reading.lost >= finished, 'all lines come or are missed');
    await reading.end();
    assert.equal(reading.lost, 0);
  });
});

async function connected(port: number): Promise<ReturnType<typeof connect>> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    if (open) {
      ends.push(() => socket.destroy());
      return socket;
    }
    await sleep(20);
  }
  return assert.fail('nothing listens');
}
