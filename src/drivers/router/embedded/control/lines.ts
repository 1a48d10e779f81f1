// Lines out of a socket, of bounded length.

import type { Socket } from 'node:net';

/** Yields each line without its line feed; ends with the socket, or throws its error. A line beyond `bytesMax` is an error. */
export async function* linesOf(socket: Socket, bytesMax: number): AsyncGenerator<string> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      parts.push(chunk.subarray(from, end));
      yield Buffer.concat(parts).toString('utf8');
      parts = [];
      length = 0;
      from = end + 1;
    }
    parts.push(chunk.subarray(from));
    length += chunk.length - from;
    if (length > bytesMax) throw new Error(`a line is longer than ${bytesMax} bytes`);
  }
}
