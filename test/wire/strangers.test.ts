// The client before servers that are not there, are something else, or speak another version.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type RequestListener, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, describe, it } from 'node:test';
import { createClient } from '../../src/client/client.ts';
import { rejectsWith } from '../../src/ports/store-samples.ts';
import { temporaryPath } from './with-server.ts';

/** The address of a server that answers as told. */
async function stranger(context: TestContext, listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function own(status: number, body: string): RequestListener {
  return (_, answer) => answer.writeHead(status, { 'sluice-api': '1', 'content-type': 'application/json' }).end(body);
}

describe('the client', () => {
  it('says server.unreachable when nobody listens', async (context) => {
    const socket = temporaryPath(context, 'nobody.sock');
    const failure = await rejectsWith(createClient({ socket }).status(), 'server.unreachable');
    assert.equal(failure.at, socket);
    assert.match(failure.message, /ENOENT/);
    const url = await stranger(context, () => undefined);
    const closed = createServer().listen(0);
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    await new Promise((done) => closed.close(done));
    await rejectsWith(createClient({ url: `http://127.0.0.1:${port}` }).status(), 'server.unreachable');
    await rejectsWith(createClient({ url: url.replace('http', 'https') }).status(), 'server.unreachable');
    await rejectsWith(createClient({ url: 'no url' }).status(), 'server.unreachable');
  });

  it('says server.unreachable when something else answers', async (context) => {
    const url = await stranger(context, (_, answer) => answer.writeHead(200).end('<html>'));
    assert.match((await rejectsWith(createClient({ url }).status(), 'server.unreachable')).message, /no Sluice server/);
    const away = await stranger(context, (_, answer) => answer.writeHead(302, { location: url }).end());
    await rejectsWith(createClient({ url: away }).status(), 'server.unreachable');
  });

  it('says server.unreachable when an answer breaks off or is not as the contract says', async (context) => {
    const cut = await stranger(context, (_, answer) => {
      answer.writeHead(200, { 'sluice-api': '1' });
      answer.write('[{"situ', () => answer.destroy());
    });
    await rejectsWith(createClient({ url: cut }).status(), 'server.unreachable');
    for (const body of ['', 'no json', '{}', '[{}]', '[null]', '{"a":1}']) {
      const url = await stranger(context, own(200, body));
      await rejectsWith(createClient({ url }).status(), 'server.unreachable');
    }
    const broken = await stranger(context, own(500, '{"code":5}'));
    await rejectsWith(createClient({ url: broken }).status(), 'server.unreachable');
  });

  it('says server.version when the server speaks another version', async (context) => {
    const url = await stranger(context, (_, answer) => answer.writeHead(200, { 'sluice-api': '7' }).end('[]'));
    const failure = await rejectsWith(createClient({ url }).status(), 'server.version');
    assert.match(failure.message, /version 7.*version 1/);
    const stream = createClient({ url }).stream({}, new AbortController().signal)[Symbol.asyncIterator]();
    await rejectsWith(stream.next(), 'server.version');
  });

  it('keeps the words of a failure whose code it does not know, and lets unknown fields pass', async (context) => {
    const words = { code: 'moon.full', message: 'The moon is full.', remedy: 'Wait a night.' };
    const url = await stranger(context, own(500, JSON.stringify(words)));
    const failure = await rejectsWith(createClient({ url }).status(), 'internal');
    assert.equal(failure.message, 'The moon is full.');
    const status = [{ situation: { scope: {} }, attended: true, instances: [], moon: 'full' }];
    const newer = await stranger(context, own(200, JSON.stringify(status)));
    assert.deepEqual(await createClient({ url: newer }).status(), status);
  });
});
