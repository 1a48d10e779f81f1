// Requests written by hand to a socket, for what no well-behaved client sends.

import { connect } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly text: string;
}

/** Sends the request as it is and reads until the server closes. */
export async function sendRaw(port: number, request: string): Promise<RawAnswer> {
  const socket = connect({ host: '127.0.0.1', port });
  let answer = '';
  socket.on('data', (chunk) => (answer += chunk.toString()));
  // A server that refuses resets the connection when there is more that it has not read.
  socket.on('error', () => undefined);
  const closed = new Promise((done) => socket.once('close', done));
  socket.write(request);
  await closed;
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0), text: answer };
}

/** A request in lines, with `Connection: close`. */
export function rawRequest(firstLine: string, headers: Readonly<Record<string, string>>, body = ''): string {
  const lines = Object.entries({ ...headers, connection: 'close' }).map(([name, value]) => `${name}: ${value}`);
  return [`${firstLine} HTTP/1.1`, ...lines, '', body].join('\r\n');
}
