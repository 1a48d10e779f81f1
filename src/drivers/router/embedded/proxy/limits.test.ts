import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Bench, get, group, isRefused, raw, routesOf, until } from '../harness.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

describe('limits', () => {
  const limits = { headerBytes: 1_024, idleMs: 300, answerMs: 300 };

  it('a head that is too long is refused with 431', async () => {
    const { address } = await bench.proxy(routesOf(1, []), { limits });
    assert.match(
      await raw(address, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(1_000)}\r\n\r\n`),
      /^HTTP\/1\.1 431 /,
    );
    assert.match(await raw(address, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(2_000)}`), /^HTTP\/1\.1 431 /);
  });

  it('a client that sends its head byte by byte is cut all the same', async () => {
    const { address } = await bench.proxy(routesOf(1, []), { limits });
    const text = await raw(address, ...`GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(500)}`.split(''));
    assert.match(text, /^HTTP\/1\.1 408 /);
  });

  it('a client that says nothing is let go without a word', async () => {
    const { address } = await bench.proxy(routesOf(1, []), { limits });
    assert.equal(await raw(address), '');
  });

  it('a client that stops in the midst of its body is cut with 408', async () => {
    const instance = await bench.instance('old-1', (asked) => asked.resume());
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]), { limits });
    assert.match(await raw(address, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc'), /^HTTP\/1\.1 408 /);
  });

  it('an instance that does not answer in time is answered for with 504', async () => {
    const instance = await bench.instance('old-1', () => undefined);
    const { address, samples } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]), { limits });
    assert.equal((await get(address)).status, 504);
    await until(() => samples.length === 1, 'a sample');
    assert.deepEqual([samples[0]?.status, samples[0]?.origin], [504, 'router']);
  });

  it('a client that pauses within its body for longer than an answer may take is waited for', async () => {
    const instance = await bench.instance('old-1', (asked, response) => {
      asked.resume();
      asked.on('end', () => response.end('all of it'));
    });
    const { address, samples } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]), {
      limits: { ...limits, idleMs: 20_000 },
    });
    const client = connect(address);
    bench.onEnd(() => client.destroy());
    client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc');
    await sleep(3 * limits.answerMs);
    client.write('defghi');
    await until(() => samples.length === 1, 'a sample');
    assert.deepEqual([samples[0]?.status, samples[0]?.origin], [200, 'instance']);
  });

  it('an instance that does not ask for the body, or stops taking it, is answered for with 504 all the same', async () => {
    const silent = await bench.instance('old-1');
    silent.server.on('checkContinue', () => undefined);
    const full = { instance: 'old-2', address: await bench.tcp((socket) => void socket.pause()) };
    const head = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n';
    for (const [endpoint, request] of [
      [silent, `${head}Expect: 100-continue\r\n\r\n`],
      [full, `${head}\r\n${'x'.repeat(50_000_000)}`],
    ] as const) {
      const { address, samples } = await bench.proxy(routesOf(1, [group('old', 10_000, endpoint)]), {
        limits: { ...limits, idleMs: 20_000 },
      });
      const client = connect(address);
      bench.onEnd(() => client.destroy());
      client.on('error', () => undefined);
      client.resume();
      client.write(request);
      await until(() => samples.length === 1, 'a sample');
      assert.deepEqual([samples[0]?.status, samples[0]?.origin], [504, 'router']);
    }
  });

  it('an answer that comes to a standstill is broken off', async () => {
    const instance = await bench.instance('old-1', (_asked, response) => void response.write('half'));
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]), { limits });
    await assert.rejects(get(address));
  });
});

describe('empty lines before a request', () => {
  it('are passed over when they are few', async () => {
    const instance = await bench.instance('old-1');
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const first = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
    const last = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const text = await raw(address, '\r\n\r', '\n', `${first}\r\n`, '\r\n', last);
    assert.equal(text.split('HTTP/1.1 200 OK').length, 3);
  });

  it('are refused when they do not end, however they are cut into pieces', async () => {
    const { address } = await bench.proxy(routesOf(1, []));
    assert.match(await raw(address, '\r\n'.repeat(5_000)), /^HTTP\/1\.1 400 [^]*empty lines/);
    assert.match(await raw(address, ...Array.from({ length: 50 }, () => '\r\n')), /^HTTP\/1\.1 400 [^]*empty lines/);
    assert.match(await raw(address, ...Array.from({ length: 50 }, () => '\n\r')), /^HTTP\/1\.1 400 /);
  });
});

describe('the end of the proxy', () => {
  it('requests in flight are finished, new connections are not taken', async () => {
    let finish = (): void => undefined;
    let asked = false;
    const instance = await bench.instance('old-1', (_request, response) => {
      asked = true;
      finish = () => response.end('done');
    });
    const { address, proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const answer = get(address);
    await until(() => asked, 'the instance has the request');
    const closed = proxy.close(30_000);
    await until(() => isRefused(address), 'new connections are refused');
    finish();
    assert.equal((await answer).body, 'done');
    await closed;
  });
});
