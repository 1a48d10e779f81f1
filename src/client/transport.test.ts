// The transport gives up on a server that falls silent, in each phase after its own time.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { type TestContext, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Patience, type Transport, transportTo } from './transport.ts';

const forEver: Patience = { connectMs: 60_000, quickMs: 0, bodyMs: 0 };

const status = { method: 'GET', path: '/v1/status', headers: {}, slow: false } as const;

async function transportToServer(
  context: TestContext,
  patience: Partial<Patience>,
  listener: RequestListener,
): Promise<Transport> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return transportTo({ url }, { ...forEver, ...patience });
}

describe('the transport', () => {
  it('gives up when a quick answer does not begin', async (context) => {
    const transport = await transportToServer(context, { quickMs: 50 }, () => undefined);
    await assert.rejects(transport.send(status), /nothing came for 0.05 s/);
  });

  it('waits for a slow answer', async (context) => {
    const transport = await transportToServer(context, { quickMs: 10 }, (_, answer) => {
      setTimeout(() => answer.end('late'), 200);
    });
    const answer = await transport.send({ ...status, slow: true });
    assert.equal((await buffer(answer.body)).toString(), 'late');
  });

  it('gives up when an answer falls silent', async (context) => {
    const transport = await transportToServer(context, { bodyMs: 50 }, (_, answer) => answer.write('first\n'));
    const answer = await transport.send(status);
    await assert.rejects(buffer(answer.body), /nothing came for 0.05 s/);
  });

  it('does not take its own slow reader for a silent server', async (context) => {
    const transport = await transportToServer(context, { bodyMs: 30 }, (_, answer) =>
      answer.end('x'.repeat(5_000_000)),
    );
    const answer = await transport.send(status);
    await sleep(300);
    assert.equal((await buffer(answer.body)).length, 5_000_000);
  });

  it('cuts what is open when it is closed', async (context) => {
    const transport = await transportToServer(context, {}, (_, answer) => answer.write('first\n'));
    const answer = await transport.send(status);
    const reading = buffer(answer.body);
    transport.close();
    await assert.rejects(reading);
  });
});
