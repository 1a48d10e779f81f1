import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import type { Address } from '../../../../core/instance.ts';
import { Bench, get, group, raw, routesOf, until } from '../harness.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

const limits = { headerBytes: 16_384, idleMs: 500, answerMs: 30_000 };
const plainGet = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

/** A client that sends `text` and reads nothing until it is told to. */
function silentReader(address: Address, text: string): Socket {
  const socket = connect(address);
  socket.pause();
  socket.on('error', () => undefined);
  socket.write(text);
  bench.onEnd(() => socket.destroy());
  return socket;
}

/** Waits until a count that has begun to grow grows no more. */
async function standstill(count: () => number): Promise<void> {
  let before = -1;
  await until(async () => {
    before = count();
    await sleep(300);
    return before > 0 && count() === before;
  }, 'it comes to a standstill');
}

describe('a client that does not read', () => {
  const answerBytes = 30_000;
  const many = 2_000;

  it('is served no further request until it reads, and then all of them', async () => {
    let served = 0;
    const instance = await bench.instance('old-1', (_asked, response) => {
      served += 1;
      response.end('x'.repeat(answerBytes));
    });
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const client = silentReader(address, plainGet.repeat(many));
    await standstill(() => served);
    assert.ok(served < many, `${served} requests were served to a client that reads nothing`);
    let bytes = 0;
    client.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
    });
    client.resume();
    await until(() => served === many && bytes > many * answerBytes, 'all answers come');
  });

  it('gets what it was answered when the proxy ends, though it reads late', async () => {
    let served = 0;
    const instance = await bench.instance('old-1', (_asked, response) => {
      served += 1;
      response.end('x'.repeat(answerBytes));
    });
    const { address, proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const client = silentReader(address, plainGet.repeat(many));
    await standstill(() => served);
    const closed = proxy.close(20_000);
    await sleep(2_500);
    let text = '';
    client.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    client.on('end', () => client.end());
    client.resume();
    await closed;
    assert.equal(text.split('x'.repeat(answerBytes)).length - 1, served);
  });

  it('is cut when its output stands still for too long, and the release is not blamed', async () => {
    const instance = await bench.instance('old-1', (_asked, response) => response.end('x'.repeat(answerBytes)));
    const { address, samples, proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]), { limits });
    const client = silentReader(address, plainGet.repeat(many));
    let gone = false;
    client.on('close', () => {
      gone = true;
    });
    await sleep(limits.idleMs);
    await until(() => {
      // Only a write tells a client that reads nothing that its connection is gone.
      client.write('x');
      return gone;
    }, 'the connection is cut');
    proxy.feed.flush();
    assert.ok(samples.length < many);
    assert.ok(samples.every((sample) => sample.status === 200 || sample.status === 499));
  });

  it('counts as 499 when it stops in the midst of a large answer', async () => {
    const instance = await bench.instance('old-1', (_asked, response) => response.end(Buffer.alloc(64 * 1024 * 1024)));
    const { address, samples } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]), { limits });
    silentReader(address, plainGet);
    await until(() => samples.length === 1, 'a sample');
    assert.deepEqual([samples[0]?.status, samples[0]?.origin], [499, 'router']);
  });

  it('counts as 499 when a drain runs out of time because of it', async () => {
    const instance = await bench.instance('old-1', (_asked, response) => response.end(Buffer.alloc(64 * 1024 * 1024)));
    const { address, samples, proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const client = silentReader(address, plainGet);
    client.once('readable', () => undefined);
    await until(() => client.readableLength > 0, 'the answer has begun');
    await sleep(300);
    assert.equal(await proxy.drain(new Set(['old-1']), 1, new AbortController().signal), 1);
    await until(() => samples.length === 1, 'a sample');
    assert.deepEqual([samples[0]?.status, samples[0]?.origin], [499, 'router']);
  });

  it('still leaves a release to blame for an answer that it does not finish', async () => {
    const instance = await bench.instance('old-1', (_asked, response) => void response.write('half'));
    const { address, samples } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]), { limits });
    await assert.rejects(get(address));
    await until(() => samples.length === 1, 'a sample');
    assert.deepEqual([samples[0]?.status, samples[0]?.origin], [503, 'router']);
  });
});

describe('a client that does not send', () => {
  it('counts as 499 when it stops in the midst of its body after the answer has begun', async () => {
    const instance = await bench.instance('old-1', (asked, response) => void asked.pipe(response));
    const { address, samples } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]), { limits });
    await raw(address, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc');
    await until(() => samples.length === 1, 'a sample');
    assert.deepEqual([samples[0]?.status, samples[0]?.origin], [499, 'router']);
  });

  it('does not make the release slower by sending its head slowly', async () => {
    const instance = await bench.instance('old-1');
    const { address, samples } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const client = silentReader(address, 'GET / HTTP/1.1\r\nHost: x\r\n');
    await sleep(3_000);
    client.write('\r\n');
    await until(() => samples.length === 1, 'a sample');
    assert.ok((samples[0]?.latencyMs ?? Infinity) < 2_500, `${samples[0]?.latencyMs} ms`);
  });
});
