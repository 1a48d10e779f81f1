import assert from 'node:assert/strict';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { WebSocket, WebSocketServer } from 'ws';

import { Bench, get, group, raw, routesOf, until } from '../harness.ts';

let bench: Bench;
beforeEach(() => {
  bench = new Bench();
});
afterEach(() => bench.end());

const plainGet = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
const count = (text: string, part: string): number => text.split(part).length - 1;

describe('messages', () => {
  it('a request reaches the instance with its body, and the answer comes back with its own', async () => {
    const instance = await bench.instance('old-1', (asked, response) => {
      response.writeHead(201, { 'x-method': asked.method, 'x-url': asked.url, 'set-cookie': ['a=1', 'b=2'] });
      asked.pipe(response);
    });
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const answer = await fetch(`http://127.0.0.1:${address.port}/path?q=1`, { method: 'PUT', body: 'hello' });
    assert.equal(answer.status, 201);
    assert.deepEqual([answer.headers.get('x-method'), answer.headers.get('x-url')], ['PUT', '/path?q=1']);
    assert.deepEqual(answer.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.equal(await answer.text(), 'hello');
  });

  it('trailers pass in both directions', async () => {
    let trailers: unknown;
    const instance = await bench.instance('old-1', (asked, response) => {
      asked.resume();
      asked.on('end', () => {
        trailers = asked.trailers;
        response.writeHead(200, { trailer: 'X-Sum' });
        response.write('abc');
        response.addTrailers({ 'X-Sum': '42' });
        response.end();
      });
    });
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const answer = await raw(
      address,
      'POST / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\nX-Md5: 17\r\n\r\n',
    );
    assert.deepEqual({ ...(trailers as object) }, { 'x-md5': '17' });
    assert.match(answer, /3\r\nabc\r\n/);
    assert.match(answer, /\r\n0\r\nX-Sum: 42\r\n\r\n$/);
  });

  it('HEAD, 204 and 304 have no body, and the connection goes on behind them', async () => {
    const instance = await bench.instance('old-1', (asked, response) => {
      if (asked.url === '/204') response.writeHead(204).end();
      else if (asked.url === '/304') response.writeHead(304, { etag: '"x"' }).end();
      else response.end('hello');
    });
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const head = (method: string, path: string): string => `${method} ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const answer = await raw(address, head('HEAD', '/') + head('GET', '/204') + head('GET', '/304') + plainGet);
    assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 204', 'HTTP/1.1 304', 'HTTP/1.1 200']);
    assert.equal(count(answer, 'hello'), 1);
  });

  it('HTTP/1.0 clients get no chunks, and keep their connection only when they ask for it', async () => {
    const instance = await bench.instance('old-1', (asked, response) => {
      if (asked.url === '/length') response.setHeader('content-length', 6);
      response.write('abc');
      response.end('def');
    });
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const chunked = await raw(address, 'GET / HTTP/1.0\r\n\r\n');
    assert.match(chunked, /\r\n\r\nabcdef$/);
    assert.doesNotMatch(chunked, /chunked/i);
    const kept = await raw(
      address,
      'GET /length HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
      'GET /length HTTP/1.0\r\n\r\n',
    );
    assert.equal(count(kept, 'abcdef'), 2);
    assert.match(kept, /^[^]*Connection: keep-alive[^]*Connection: close/);
  });

  it('an answer that ends with its connection is whole for the client', async () => {
    const address = await bench.tcp((socket) => {
      socket.once('data', () => socket.end('HTTP/1.0 200 OK\r\n\r\nuntil the end'));
    });
    const { address: proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, { instance: 'old-1', address })]));
    assert.equal((await get(proxy)).body, 'until the end');
  });

  it('an answer that is cut short is not whole for the client', async () => {
    const address = await bench.tcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
        setTimeout(() => socket.destroy(), 20);
      });
    });
    const { address: proxy, samples } = await bench.proxy(
      routesOf(1, [group('old', 10_000, { instance: 'old-1', address })]),
    );
    await assert.rejects(get(proxy));
    await until(() => samples.length === 1, 'a sample');
    assert.deepEqual([samples[0]?.status, samples[0]?.origin], [502, 'router']);
  });

  it('an answer cut short, whose end only the connection’s end would show, ends in an error', async () => {
    const address = await bench.tcp((socket) => {
      socket.once('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n');
        setTimeout(() => socket.destroy(), 20);
      });
    });
    const { address: proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, { instance: 'old-1', address })]));
    const client = connect(proxy);
    client.write('GET / HTTP/1.0\r\n\r\n');
    client.resume();
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      client.on('error', resolve);
      client.on('close', () => resolve(undefined));
    });
    assert.equal(error?.code, 'ECONNRESET');
  });

  it('an instance that speaks no proper HTTP is answered for with 502', async () => {
    const address = await bench.tcp((socket) =>
      socket.once('data', () => socket.write('HTTP/1.1 200 OK\nX: y\n\n'.repeat(2))),
    );
    const { address: proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, { instance: 'old-1', address })]), {
      limits: { headerBytes: 16_384, idleMs: 30_000, answerMs: 200 },
    });
    assert.ok((await get(proxy)).status >= 502);
  });

  it('bytes behind an answer never become the next answer', async () => {
    let connections = 0;
    const address = await bench.tcp((socket) => {
      connections += 1;
      socket.on('data', () =>
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'),
      );
    });
    const { address: proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, { instance: 'old-1', address })]));
    for (let sent = 0; sent < 5; sent++) assert.equal((await get(proxy)).body, 'ok');
    assert.equal(connections, 5);
  });

  it('a connection on which an instance says something unasked is not used again', async () => {
    let connections = 0;
    let closed = 0;
    const address = await bench.tcp((socket) => {
      connections += 1;
      socket.on('data', () => {
        socket.write('HTTP/1.1 200 OK\r\nKeep-Alive: timeout=60\r\nContent-Length: 2\r\n\r\nok');
        setTimeout(() => socket.write('HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\n\r\nevil'), 20);
      });
      socket.on('end', () => {
        closed += 1;
        socket.end();
      });
    });
    const { address: proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, { instance: 'old-1', address })]));
    for (let sent = 1; sent <= 3; sent++) {
      assert.equal((await get(proxy)).body, 'ok');
      await until(() => closed === sent, 'the proxy closes the connection');
    }
    assert.equal(connections, 3);
  });
});

describe('Expect: 100-continue', () => {
  const head = 'POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n';

  it('is the instance’s to answer: the client sends its body when the instance says so', async () => {
    let release = (): void => undefined;
    const instance = await bench.instance('old-1', (asked, response) => asked.pipe(response));
    instance.server.on('checkContinue', (asked, response) => {
      release = () => {
        response.writeContinue();
        asked.pipe(response);
      };
    });
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const socket = connect(address);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    const none = release;
    socket.write(head);
    await until(() => release !== none, 'the instance has the head');
    assert.equal(text, '');
    release();
    await until(() => text.startsWith('HTTP/1.1 100 Continue\r\n\r\n'), '100 arrives');
    socket.write('hello');
    await until(() => text.includes('hello'), 'the answer arrives');
    assert.match(text, /HTTP\/1\.1 200 OK/);
    socket.destroy();
  });

  it('a final answer instead of 100 ends the connection, for nobody knows whether the body still comes', async () => {
    const instance = await bench.instance('old-1');
    instance.server.on('checkContinue', (_asked, response) => response.writeHead(413).end('too large'));
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const answer = await raw(address, head);
    assert.match(answer, /^HTTP\/1\.1 413 /);
    assert.match(answer, /Connection: close/);
  });
});

describe('upgrades', () => {
  it('a WebSocket works through the proxy, both ways, until either side closes', async () => {
    const instance = await bench.instance('old-1');
    const server = new WebSocketServer({ server: instance.server });
    bench.onEnd(() => server.close());
    server.on('connection', (socket) =>
      socket.on('message', (data) => socket.send(`echo ${(data as Buffer).toString()}`)),
    );
    const { address, samples, proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const client = new WebSocket(`ws://127.0.0.1:${address.port}/`);
    await once(client, 'open');
    for (const text of ['a', 'b'.repeat(200_000)]) {
      const answered = once(client, 'message') as Promise<[Buffer]>;
      client.send(text);
      assert.equal((await answered)[0].toString(), `echo ${text}`);
    }
    await until(() => samples.length === 1, 'a sample at the switch');
    assert.equal(samples[0]?.status, 101);
    assert.equal(proxy.traffic.inFlight(new Set(['old-1'])), 1);
    client.close();
    await once(client, 'close');
    await until(() => proxy.traffic.inFlight(new Set(['old-1'])) === 0, 'the tunnel is gone');
  });

  it('an upgrade that the instance declines is an ordinary answer', async () => {
    const instance = await bench.instance('old-1');
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const answer = await raw(
      address,
      `GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
      plainGet,
    );
    assert.equal(count(answer, 'HTTP/1.1 200 OK'), 2);
  });

  it('a tunnel that is drained in vain is cut and counted', async () => {
    const instance = await bench.instance('old-1');
    const server = new WebSocketServer({ server: instance.server });
    bench.onEnd(() => server.close());
    const { address, proxy } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const client = new WebSocket(`ws://127.0.0.1:${address.port}/`);
    client.on('error', () => undefined);
    await once(client, 'open');
    const closed = once(client, 'close');
    assert.equal(await proxy.drain(new Set(['old-1']), 50, new AbortController().signal), 1);
    await closed;
  });
});

describe('streams', () => {
  it('an answer flows as fast as the client reads it, and no faster', async () => {
    let written = 0;
    const instance = await bench.instance('old-1', (_asked, response) => {
      const piece = Buffer.alloc(65_536);
      const write = (): void => {
        while (written < 512 * 1024 * 1024) {
          written += piece.length;
          if (!response.write(piece)) return void response.once('drain', write);
        }
        response.end();
      };
      write();
    });
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const client = connect(address);
    client.write(plainGet);
    await once(client, 'readable');
    // The client reads nothing more: what is written comes to a stop at the size of the buffers in between.
    let before = -1;
    await until(async () => {
      const same = before === written;
      before = written;
      await sleep(100);
      return same;
    }, 'the flow stops');
    assert.ok(written < 64 * 1024 * 1024, `${written} bytes were written`);
    client.destroy();
  });

  it('a request body flows as fast as the instance reads it, and no faster', async () => {
    const instance = await bench.instance('old-1', (asked) => asked.pause());
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const client = connect(address);
    client.on('error', () => undefined);
    client.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 536870912\r\n\r\n');
    const piece = Buffer.alloc(65_536);
    let written = 0;
    const write = (): void => {
      while (written < 512 * 1024 * 1024) {
        written += piece.length;
        if (!client.write(piece)) return void client.once('drain', write);
      }
    };
    write();
    let before = -1;
    await until(async () => {
      const same = before === written;
      before = written;
      await sleep(100);
      return same;
    }, 'the flow stops');
    assert.ok(written < 64 * 1024 * 1024, `${written} bytes were written`);
    client.destroy();
  });

  it('an answer may begin, and end, while the request is still coming', async () => {
    const instance = await bench.instance('old-1', (asked, response) => {
      response.write('early');
      asked.on('data', (chunk: Buffer) => response.write(chunk));
      asked.on('end', () => response.end('late'));
    });
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const asked = request({ ...address, method: 'POST', agent: false });
    asked.write('one');
    const [answer] = (await once(asked, 'response')) as [NodeJS.ReadableStream];
    let text = '';
    answer.on('data', (chunk: Buffer) => {
      text += chunk.toString();
    });
    await until(() => text === 'earlyone', 'the first piece comes back');
    asked.end('two');
    await once(answer, 'end');
    assert.equal(text, 'earlyonetwolate');
  });

  it('an answer before the end of an upload is read, even by a client that still sends', async () => {
    const instance = await bench.instance('old-1', (_asked, response) => {
      response.writeHead(413, { connection: 'close' }).end('too large');
    });
    const { address } = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
    const answer = await raw(
      address,
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n',
      'x'.repeat(1000),
    );
    assert.match(answer, /^HTTP\/1\.1 413 /);
  });
});
