import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';

import type { Address } from '../../../../core/instance.ts';
import { Bench, group, routesOf, until } from '../harness.ts';

interface LateInstance {
  readonly address: Address;
  readonly takeConnections: () => void;
}

/** An instance to which no connection can be made until it is told to take them. */
async function lateInstance(bench: Bench): Promise<LateInstance> {
  const told = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./fixture-late-instance.ts', import.meta.url), { workerData: told });
  bench.onEnd(() => worker.terminate());
  const port: unknown = (await once(worker, 'message'))[0];
  assert.ok(typeof port === 'number');
  const address = { host: '127.0.0.1', port };
  const others = Array.from({ length: 4 }, () => connect(address));
  for (const socket of others) {
    socket.on('error', () => undefined);
    bench.onEnd(() => socket.destroy());
  }
  await until(() => others.filter(({ connecting }) => !connecting).length === 2, 'the queue is full');
  return {
    address,
    takeConnections: () => {
      Atomics.store(told, 0, 1);
      Atomics.notify(told, 0);
    },
  };
}

it(
  'an upload in small chunks that began before the instance was reached comes to its end',
  { skip: process.platform !== 'linux' && 'counts on how Linux queues connections' },
  async (context) => {
    const bench = new Bench();
    context.after(() => bench.end());
    const { address: instance, takeConnections } = await lateInstance(bench);
    const { address, samples } = await bench.proxy(
      routesOf(1, [group('old', 10_000, { instance: 'old-1', address: instance })]),
      { limits: { headerBytes: 16_384, idleMs: 4_000, answerMs: 30_000 } },
    );
    const client = connect(address);
    bench.onEnd(() => client.destroy());
    let text = '';
    client.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    // More than the proxy keeps of what is sent ahead, but less than a socket keeps once the sizes of chunks are taken out.
    const chunks = `64\r\n${'x'.repeat(100)}\r\n`.repeat(623);
    client.write(`POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
    await sleep(300);
    takeConnections();
    client.write('0\r\n\r\n');
    await until(() => samples.length === 1 && text.includes('\r\n\r\n'), 'an answer');
    assert.match(text, /^HTTP\/1\.1 200 [^]*62300 bytes/);
    assert.deepEqual([samples[0]?.status, samples[0]?.origin], [200, 'instance']);
  },
);
