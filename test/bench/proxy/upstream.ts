// The instance behind the proxies under test: as little work per request as Node allows, so that the proxies are what is measured.
// Prints its port. `GET /down?bytes=N` sends N bytes, `POST /up` takes a body, anything else gets a small answer.

import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer, type Socket } from 'node:net';

const body = 'a small answer, as an application programming interface gives it';
const answer =
  'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\n' +
  `Content-Length: ${body.length}\r\n\r\n${body}`;

const bulk = createHttpServer((request, response) => {
  let left = Number(new URL(request.url ?? '/', 'http://x').searchParams.get('bytes') ?? '0');
  if (request.method === 'POST') {
    request.on('end', () => response.end('taken'));
    request.resume();
    return;
  }
  const piece = Buffer.alloc(65_536);
  response.setHeader('content-length', left);
  const write = (): void => {
    while (left > 0) {
      const size = Math.min(left, piece.length);
      left -= size;
      if (!response.write(piece.subarray(0, size)) && left > 0) {
        response.once('drain', write);
        return;
      }
    }
    response.end();
  };
  write();
});

/** Small requests are answered without parsing; others are handed to Node's server. */
const server = createServer({ noDelay: true }, (socket: Socket) => {
  socket.on('error', () => undefined);
  const serve = (chunk: Buffer): void => {
    if (chunk.indexOf('GET /small') !== 0) {
      socket.removeListener('data', serve);
      bulk.emit('connection', socket);
      socket.unshift(chunk);
      return;
    }
    let requests = 0;
    for (let at = chunk.indexOf('\r\n\r\n'); at >= 0; at = chunk.indexOf('\r\n\r\n', at + 4)) requests += 1;
    socket.write(requests === 1 ? answer : answer.repeat(requests), 'latin1');
  };
  socket.on('data', serve);
});

server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
