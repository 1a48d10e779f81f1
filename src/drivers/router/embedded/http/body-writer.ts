// Writes a piece of a message with as few system calls as the stream allows: head, data and end go out together.

import type { Socket } from 'node:net';

import type { BodyReader } from './body-reader.ts';

/** Up to so many bytes are copied into one string; more are written as they lie in memory. */
export const copiedBytesMax = 8_192;

/**
 * Writes `prefix` (a head, or nothing), the data that `reader` found last in `buffer`, and the end when it is done. `chunked`: in
 * chunks of our own, so that nothing of the sender's framing gets through. Returns false when the writer should wait for
 * `drain`.
 */
export function writeBody(
  socket: Socket,
  prefix: string,
  buffer: Buffer,
  reader: BodyReader,
  chunked: boolean,
): boolean {
  const { ranges, bytes } = reader;
  const end = chunked && reader.done ? `0\r\n${reader.trailers}\r\n` : '';
  if (bytes === 0) return prefix === '' && end === '' ? true : socket.write(prefix + end, 'latin1');
  const before = chunked ? `${prefix}${bytes.toString(16)}\r\n` : prefix;
  const after = chunked ? `\r\n${end}` : '';
  if (bytes <= copiedBytesMax) {
    let text = before;
    for (let index = 0; index < ranges.length; index += 2)
      text += buffer.toString('latin1', ranges[index], ranges[index + 1]);
    return socket.write(text + after, 'latin1');
  }
  noteStreamed(bytes);
  socket.cork();
  if (before !== '') socket.write(before, 'latin1');
  let ready = true;
  for (let index = 0; index < ranges.length; index += 2) {
    ready = socket.write(buffer.subarray(ranges[index], ranges[index + 1]));
  }
  if (after !== '') ready = socket.write(after, 'latin1');
  socket.uncork();
  return ready;
}

/**
 * Each read of a stream leaves a buffer of 64 KiB behind that weighs next to nothing in V8's books: left alone it lets some 70 MiB
 * of them pile up before it looks. A look at the young ones only, every so many bytes, takes well under a millisecond.
 */
const collectEveryBytes = 8 * 1024 * 1024;
let streamedBytes = 0;

function noteStreamed(bytes: number): void {
  streamedBytes += bytes;
  if (streamedBytes < collectEveryBytes) return;
  streamedBytes = 0;
  // There where the program was started with --expose-gc, as the proxy is.
  globalThis.gc?.({ type: 'minor' });
}
