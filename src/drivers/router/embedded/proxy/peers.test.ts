import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { Bench, get, group, raw, routesOf, until } from '../harness.ts';
import { freePort } from '../../../../../test/free-port.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

const plainGet = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const count = (text: string, part: string): number => text.split(part).length - 1;

describe('clients and instances that go away', () => {
  it('a client that leaves is passed on to the instance, and counts as 499', async () => {
    let aborted = false;
    let asked = false;
    const instance = await bench.instance('old-1', (_request, response) => {
      asked = true;
      response.on('close', () => {
        aborted = !response.writableEnded;
      });
    });
    const { address, samples } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const client = connect(address);
    client.write(plainGet);
    await until(() => asked, 'the instance has the request');
    client.destroy();
    await until(() => aborted, 'the instance notices');
    await until(() => samples.length === 1, 'a sample');
    assert.deepEqual([samples[0]?.status, samples[0]?.origin], [499, 'router']);
  });

  it('an instance that refuses connections is passed over, and left out for a while', async () => {
    const good = await bench.instance('old-1');
    const dead = { instance: 'old-2', address: { host: '127.0.0.1', port: await freePort() } };
    const { address, samples, proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, good, dead)]));
    for (let sent = 0; sent < 20; sent++) assert.equal((await get(address)).status, 200);
    proxy.feed.flush();
    assert.ok(samples.every((sample) => sample.status === 200 && sample.instance === 'old-1'));
    assert.equal(samples.length, 20);
  });

  it('a request with a body is passed on whole to another instance, as nothing of it was sent', async () => {
    const good = await bench.instance('old-1', (asked, response) => asked.pipe(response));
    const dead = { instance: 'old-2', address: { host: '127.0.0.1', port: await freePort() } };
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, dead, good)]));
    const body = 'x'.repeat(1_000_000);
    const answer = await fetch(`http://127.0.0.1:${address.port}/`, { method: 'POST', body });
    assert.equal((await answer.text()).length, body.length);
  });

  it('when no instance can be reached the answer is 502, and requests go on trying them', async () => {
    const port = await freePort();
    const dead = { instance: 'old-1', address: { host: '127.0.0.1', port } };
    const { address, samples, proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, dead)]));
    for (let sent = 0; sent < 5; sent++) assert.equal((await get(address)).status, 502);
    proxy.feed.flush();
    assert.deepEqual([samples.length, samples[0]?.status, samples[0]?.origin], [5, 502, 'router']);
    const server = createServer((_request, response) => response.end('back'));
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    bench.onEnd(() => {
      server.closeAllConnections();
      server.close();
    });
    assert.equal((await get(address)).body, 'back');
  });

  /** An instance that closes a connection, without a word, when the second request on it arrives. */
  const forgetful = (seen: string[]): ((socket: Socket) => void) => {
    return (socket) => {
      let requests = 0;
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        requests += 1;
        if (requests === 2) socket.destroy();
        else {
          seen.push(chunk.toString().split(' ')[0] ?? '');
          socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
        }
      });
    };
  };

  it('a GET whose idle connection was being closed is sent again, a POST is not', async () => {
    const seen: string[] = [];
    const address = await bench.tcp(forgetful(seen));
    const { address: proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, { instance: 'old-1', address })]));
    assert.equal((await get(proxy)).status, 200);
    assert.equal((await get(proxy)).status, 200);
    const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n';
    assert.match(await raw(proxy, post), /^HTTP\/1\.1 502 /);
    assert.deepEqual(seen, ['GET', 'GET']);
  });

  it('a POST goes over a fresh connection when the idle one is not fresh', async () => {
    const seen: string[] = [];
    const address = await bench.tcp(forgetful(seen));
    const { address: proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, { instance: 'old-1', address })]));
    assert.equal((await get(proxy)).status, 200);
    await sleep(1_100);
    const post = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi';
    assert.match(await raw(proxy, post), /^HTTP\/1\.1 200 /);
  });

  it('idle connections to an instance are closed when it leaves the routes, before it ends', async () => {
    const instance = await bench.instance('old-1');
    instance.server.keepAliveTimeout = 0;
    const other = await bench.instance('new-1');
    const { address, proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    await get(address);
    const connections = (): Promise<number> =>
      new Promise((resolve) => {
        instance.server.getConnections((_error, open) => resolve(open));
      });
    assert.equal(await connections(), 1);
    proxy.put(routesOf(2, [group('new', 10_000, other)]));
    await until(async () => (await connections()) === 0, 'the idle connection is closed');
  });
});

describe('health', () => {
  it('an instance that fails its active check gets nothing until it is well again', async () => {
    let well = true;
    const sick = await bench.instance('old-1', (asked, response) => {
      response.statusCode = asked.url === '/health' && !well ? 503 : 200;
      response.end('old-1');
    });
    const other = await bench.instance('old-2');
    const health = { path: '/health', intervalMs: 20, timeoutMs: 1_000 };
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, sick, other)], { health }));
    const bodies = async (): Promise<ReadonlySet<string>> =>
      new Set((await Promise.all(Array.from({ length: 6 }, () => get(address)))).map((answer) => answer.body));
    assert.deepEqual(await bodies(), new Set(['old-1', 'old-2']));
    well = false;
    await until(async () => !(await bodies()).has('old-1'), 'the sick instance is left out');
    well = true;
    await until(async () => (await bodies()).has('old-1'), 'it is back');
  });

  it('when all instances look sick they are asked all the same', async () => {
    const sick = await bench.instance('old-1', (asked, response) => {
      response.statusCode = asked.url === '/health' ? 500 : 200;
      response.end('old-1');
    });
    const health = { path: '/health', intervalMs: 10, timeoutMs: 1_000 };
    const { address, proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, sick)], { health }));
    await until(() => [...proxy.traffic.endpoints].every((endpoint) => !endpoint.alive), 'it looks sick');
    assert.equal((await get(address)).body, 'old-1');
  });
});

describe('shares', () => {
  it('one per cent of 10,000 requests over 20 connections is exactly 100', async () => {
    const old = await bench.instance('old-1');
    const fresh = await bench.instance('new-1');
    const { address, samples, proxy } = await bench.proxy(
      routesOf(1, [group('old', 9_900, old), group('new', 100, fresh)]),
    );
    const many = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(499) + plainGet;
    const answers = await Promise.all(Array.from({ length: 20 }, () => raw(address, many)));
    for (const answer of answers) assert.equal(count(answer, 'HTTP/1.1 200 OK'), 500);
    proxy.feed.flush();
    assert.equal(samples.length, 10_000);
    assert.equal(samples.filter((sample) => sample.release === 'new').length, 100);
  });
});
