// The load counts what a visitor gets, keeps its connections, and ends with every request accounted for.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Load, startLoad } from './load.ts';
import { faultHeader, versionHeader } from './service/shop.ts';

interface Service {
  readonly port: number;
  readonly connections: () => number;
}

async function service(context: TestContext, listener: RequestListener): Promise<Service> {
  let connections = 0;
  const server = createServer(listener).listen(0, '127.0.0.1');
  server.on('connection', () => (connections += 1));
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

async function requests(load: Load, count: number): Promise<void> {
  while (load.totals().requests < count) await wait(5);
}

test('answers are counted by version, on connections that stay open', async (context) => {
  let served = 0;
  const { port, connections } = await service(context, (_, response) => {
    served += 1;
    response.setHeader(versionHeader, 'v1');
    if (served % 5 === 0) response.setHeader(faultHeader, 'v1');
    response.statusCode = served % 5 === 0 ? 500 : 200;
    response.end('page');
  });
  const load = startLoad({ port, visitors: 4, requestsPerSecond: 400 });
  await requests(load, 100);
  await load.stop();
  const { requests: sent, failed, versions } = load.totals();
  assert.equal(sent, served);
  assert.equal(failed, 0);
  assert.equal(versions['v1']?.requests, served);
  assert.equal(versions['v1']?.faults, Math.floor(served / 5));
  assert.equal(connections(), 4);
});

test('an answer that breaks off, and one that never came, are failed requests', async (context) => {
  let served = 0;
  const { port } = await service(context, (_, response) => {
    served += 1;
    if (served % 2 === 0) return void response.socket?.destroy();
    response.writeHead(200, { 'content-length': '100' });
    response.write('part', () => response.socket?.destroy());
  });
  const load = startLoad({ port, visitors: 2, requestsPerSecond: 400 });
  await requests(load, 20);
  await load.stop();
  assert.equal(load.totals().failed, load.totals().requests);
  assert.ok(load.totals().losses.every(({ reason }) => reason === 'ECONNRESET'));
});

test('visitors keep to their pace', async (context) => {
  const { port } = await service(context, (_, response) => void response.end());
  const begunAt = performance.now();
  const load = startLoad({ port, visitors: 2, requestsPerSecond: 50 });
  await requests(load, 20);
  await load.stop();
  const seconds = (performance.now() - begunAt) / 1000;
  assert.ok(load.totals().requests <= seconds * 50 + 2, `${load.totals().requests} in ${seconds} s`);
});
