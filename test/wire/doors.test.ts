// Who may come in and how: tokens, names, origins, versions, sizes, and what a stranger's request is told.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createClient } from '../../src/client/client.ts';
import { rejectsWith } from '../../src/ports/store-samples.ts';
import { listen } from '../../src/server/listen.ts';
import { fakeController } from './fake-controller.ts';
import { rawRequest, sendRaw } from './raw.ts';
import { appOf, serve } from './with-server.ts';

const token = 'a-token-of-some-length';
const empty = { status: async () => [] };

describe('a server with a token', () => {
  it('answers only who bears it, on TCP', async (context) => {
    const { clients, url } = await serve(context, fakeController(empty), token);
    assert.deepEqual(await clients.tcp.status(), []);
    for (const wrong of [undefined, 'another', `${token}x`, token.slice(1)]) {
      const client = createClient({ url, token: wrong });
      await rejectsWith(client.status(), 'server.unauthorized');
      await client.close();
    }
    const answer = await fetch(`${url}/metrics`);
    assert.equal(answer.status, 401);
    assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
    assert.equal((await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })).status, 200);
    assert.equal((await fetch(`${url}/v1/nothing`)).status, 401);
  });

  it('answers /health to everybody, and everything over its unix socket', async (context) => {
    const { clients, url } = await serve(context, fakeController(empty), token);
    assert.deepEqual(await (await fetch(`${url}/health`)).json(), { status: 'ok', api: 1 });
    assert.deepEqual(await clients.socket.status(), []);
  });

  it('answers nobody who comes by a way that it does not know', async () => {
    const app = appOf(fakeController(empty), token);
    const request = new Request('http://localhost/v1/status');
    assert.equal((await app.fetch(request)).status, 401);
    assert.equal((await app.fetch(request, { incoming: {} } as never)).status, 401);
  });

  it('refuses an empty token', () => {
    assert.throws(() => appOf(fakeController(), ''), { code: 'server.token' });
    assert.throws(() => appOf(fakeController(), ' '), { code: 'server.token' });
  });
});

describe('listening', () => {
  it('beyond loopback needs a token', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1']) {
      const failure = await rejectsWith(listen({ app: appOf(fakeController()), host, port: 0 }), 'server.token');
      assert.equal(failure.at, host);
    }
    const listening = await listen({ app: appOf(fakeController(empty), token), host: '0.0.0.0', port: 0 });
    const url = `http://127.0.0.1:${listening.port}`;
    assert.equal((await fetch(`${url}/v1/status`)).status, 401);
    assert.equal((await fetch(`${url}/v1/status`, { headers: { authorization: `bearer ${token}` } })).status, 200);
    await listening.close();
  });

  it('says so when the port is taken or the address is not of this machine, and leaves nothing open', async (context) => {
    const { listening, socket } = await serve(context, fakeController(empty));
    const app = appOf(fakeController(), token);
    await rejectsWith(listen({ app, port: listening.port }), 'port.taken');
    await rejectsWith(listen({ app, host: '192.0.2.1', port: 0 }), 'server.listen');
    await rejectsWith(listen({ app, host: 'no such name', port: 0 }), 'server.listen');
    const busy = { app, port: 0, unixSocket: socket };
    await rejectsWith(listen(busy), 'server.running');
  });
});

describe('a server on loopback', () => {
  it('answers to the names of this machine only', async (context) => {
    const { listening } = await serve(context, fakeController(empty));
    const port = listening.port ?? 0;
    const ask = async (host: string): Promise<number> =>
      (await sendRaw(port, rawRequest('GET /v1/status', { host }))).status;
    for (const host of ['localhost', `127.0.0.1:${port}`, 'LOCALHOST:1', '[::1]:80', '127.1.2.3']) {
      assert.equal(await ask(host), 200, host);
    }
    for (const host of [
      'evil.example',
      'localhost.evil.example',
      '127.0.0.1.evil.example',
      '127.0.0.1@evil.example',
      '10.0.0.1',
    ]) {
      assert.ok([400, 403].includes(await ask(host)), host);
    }
    assert.equal((await sendRaw(port, rawRequest('GET /v1/status', {}))).status, 400);
    const absolute = rawRequest('GET http://evil.example/v1/status', { host: 'evil.example' });
    assert.ok([400, 403].includes((await sendRaw(port, absolute)).status));
  });

  it('refuses what a page of another site sends, and gives no page leave to ask', async (context) => {
    const { url, listening } = await serve(context, fakeController(empty));
    for (const origin of ['https://evil.example', 'null', 'http://localhost:1', `http://127.0.0.1`]) {
      const answer = await fetch(`${url}/v1/status`, { headers: { origin } });
      assert.equal(answer.status, 403, origin);
      assert.equal(answer.headers.get('access-control-allow-origin'), null);
    }
    const own = await fetch(`${url}/v1/status`, { headers: { origin: `http://127.0.0.1:${listening.port}` } });
    assert.equal(own.status, 200);
    const asking = await fetch(`${url}/v1/command`, { method: 'OPTIONS' });
    assert.equal(asking.status, 405);
    assert.equal(asking.headers.get('access-control-allow-origin'), null);
  });
});

describe('a request that is not as it should be', () => {
  it('is told what is wrong, as a failure with a fitting status', async (context) => {
    const controller = fakeController(empty);
    const { url } = await serve(context, controller);
    const json = { 'content-type': 'application/json' };
    const post = (body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = json): RequestInit => ({
      method: 'POST',
      body,
      headers,
    });
    const longBody = JSON.stringify({ reason: 'x'.repeat(1024 * 1024) });
    const deep = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
    const cases: readonly [string, RequestInit, number, RegExp][] = [
      ['/nothing', {}, 404, /no \/nothing/],
      ['/v1/status/', {}, 404, /no /],
      ['/v1/plan', {}, 405, /POST/],
      ['/v1/status', { method: 'DELETE' }, 405, /GET/],
      ['/v1/plan', post('{}', { 'content-type': 'text/plain' }), 415, /text\/plain/],
      ['/v1/plan', post('{"a":'), 400, /not JSON/],
      ['/v1/plan', post(''), 400, /not JSON/],
      ['/v1/plan', post('[]'), 400, /wrong at/],
      ['/v1/plan', post('null'), 400, /wrong at/],
      ['/v1/plan', post(deep), 400, /wrong at/],
      ['/v1/plan', post(new Uint8Array([0x22, 0xff, 0x22])), 400, /UTF-8/],
      ['/v1/plan', post('{"__proto__":{"actor":"x"}}'), 400, /wrong at/],
      ['/v1/plan', post(longBody), 413, /longer/],
      ['/v1/status?service=shop', {}, 400, /scope\.environment/],
      ['/v1/status?colour=red', {}, 400, /colour/],
      ['/v1/status?__proto__=1', {}, 400, /__proto__/],
      ['/v1/deployments?limit=5&limit=6', {}, 400, /limit/],
      ['/v1/deployments?limit=1e3', {}, 400, /limit/],
      ['/v1/events?after=-1', {}, 400, /after/],
      ['/v1/logs?service=a&environment=b&lastLines=1&follow=yes', {}, 400, /follow/],
      ['/v1/status', { headers: { 'sluice-api': '2' } }, 400, /version 2/],
    ];
    for (const [path, init, status, words] of cases) {
      const answer = await fetch(`${url}${path}`, init);
      const failure = (await answer.json()) as { readonly message: string; readonly remedy: string };
      assert.equal(answer.status, status, `${path}: ${failure.message}`);
      assert.match(failure.message, words);
      assert.notEqual(failure.remedy, '');
      assert.equal(answer.headers.get('sluice-api'), '1');
    }
    assert.deepEqual(controller.asked, []);
  });

  it('is cut off when its body does not end in time to be read', async (context) => {
    const { listening } = await serve(context, fakeController(empty));
    const head = rawRequest('POST /v1/plan', {
      host: 'localhost',
      'content-type': 'application/json',
      'transfer-encoding': 'chunked',
    });
    const chunk = `40000\r\n${'x'.repeat(0x40000)}\r\n`;
    const answer = await sendRaw(listening.port ?? 0, head + chunk.repeat(8));
    assert.equal(answer.status, 413);
  });

  it('does not stop the server for others', async (context) => {
    const { listening, clients } = await serve(context, fakeController(empty));
    const port = listening.port ?? 0;
    for (const junk of ['\0\0\0\0\r\n\r\n', 'GET\r\n\r\n', `GET / HTTP/1.1\r\nhost: ${'x'.repeat(100_000)}\r\n\r\n`]) {
      assert.notEqual((await sendRaw(port, junk)).status, 200);
    }
    assert.deepEqual(await clients.tcp.status(), []);
  });
});
