// Streams that take seconds: downloads, uploads and WebSockets. Each resolves when it has ended whole, and rejects with what broke it.

import { type IncomingMessage, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import { WebSocket } from 'ws';
import { isPattern, patternAt } from './pattern.ts';
import { answerBody, headers } from './protocol.ts';

const pieceBytes = 16_384;
const everyMs = 100;
/** How long the far end may be silent before the stream counts as broken; milliseconds. */
const silenceMs = 20_000;

export type Stream = (port: number, durationMs: number) => Promise<void>;

/** Why a stream broke, with the instance that served it where that is known. */
export class StreamBroken extends Error {
  readonly instance: string | undefined;

  constructor(problem: string, instance?: string | string[]) {
    super(problem);
    this.instance = typeof instance === 'string' ? instance : undefined;
  }
}

export const download: Stream = (port, durationMs) => {
  const pieces = Math.max(1, Math.round(durationMs / everyMs));
  const path = `/stream?pieces=${pieces}&bytes=${pieceBytes}&every=${everyMs}`;
  return new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', path, agent: false, headers: { [headers.load]: 'download' } });
    asked.setTimeout(silenceMs, () => asked.destroy(new Error('silent for too long')));
    asked.on('error', (error) => reject(new StreamBroken(words(error))));
    asked.on('response', (answer) => {
      readPattern(answer, pieces * pieceBytes).then(resolve, reject);
    });
    asked.end();
  });
};

/** A large file, read so slowly that it takes the wanted time: the far end has to wait for us. */
export function slowDownload({ path, bytes }: { readonly path: string; readonly bytes: number }): Stream {
  return (port, durationMs) =>
    new Promise((resolve, reject) => {
      const asked = request({ port, host: '127.0.0.1', path, agent: false });
      asked.on('error', (error) => reject(new StreamBroken(words(error))));
      asked.on('response', (answer) => {
        readPattern(answer, bytes, (read) => (durationMs * read) / bytes).then(resolve, reject);
      });
      asked.end();
    });
}

/** `dueMs`: how long after the beginning so many bytes may have been read, at the earliest. */
async function readPattern(
  answer: IncomingMessage,
  length: number,
  dueMs: (bytes: number) => number = () => 0,
): Promise<void> {
  const startedAt = performance.now();
  const instance = answer.headers[headers.instance];
  if (answer.statusCode !== 200) throw new StreamBroken(`status ${answer.statusCode}`, instance);
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      if (!isPattern(chunk, bytes)) throw new StreamBroken(`wrong bytes after ${bytes}`, instance);
      bytes += chunk.length;
      const early = dueMs(bytes) - (performance.now() - startedAt);
      if (early > 0) await sleep(early);
    }
  } catch (error) {
    throw error instanceof StreamBroken ? error : new StreamBroken(`${words(error)} after ${bytes} bytes`, instance);
  }
  if (bytes !== length) throw new StreamBroken(`${bytes} of ${length} bytes`, instance);
}

export const upload: Stream = (port, durationMs) => {
  const pieces = Math.max(1, Math.round(durationMs / everyMs));
  // Both ways of saying how long a body is, in turns.
  const known = pieces % 2 === 0 ? { 'content-length': pieces * pieceBytes } : {};
  return new Promise((resolve, reject) => {
    const asked = request({
      port,
      host: '127.0.0.1',
      method: 'POST',
      path: '/upload',
      agent: false,
      headers: { [headers.load]: 'upload', ...known },
    });
    asked.setTimeout(silenceMs, () => asked.destroy(new Error('silent for too long')));
    asked.on('error', (error) => reject(new StreamBroken(words(error))));
    asked.on('response', (answer) => {
      readReceipt(answer, pieces * pieceBytes).then(resolve, reject);
    });
    void send(asked, pieces);
  });
};

async function send(asked: ReturnType<typeof request>, pieces: number): Promise<void> {
  for (let piece = 0; piece < pieces && !asked.destroyed; piece++) {
    asked.write(patternAt(piece * pieceBytes, pieceBytes));
    await sleep(everyMs);
  }
  asked.end();
}

async function readReceipt(answer: IncomingMessage, length: number): Promise<void> {
  const instance = answer.headers[headers.instance];
  let text = '';
  for await (const chunk of answer as AsyncIterable<Buffer>) text += chunk.toString();
  if (answer.statusCode !== 200) throw new StreamBroken(`status ${answer.statusCode}: ${text}`, instance);
  if (text !== JSON.stringify({ bytes: length, right: true })) throw new StreamBroken(`received: ${text}`, instance);
}

/** Says something, is answered by the same release each time, and closes in good order when its time is over. */
export const socket: Stream = (port, durationMs) => {
  const rounds = Math.max(1, Math.round(durationMs / everyMs));
  return new Promise((resolve, reject) => {
    const client = new WebSocket(`ws://127.0.0.1:${port}/socket`, { headers: { [headers.load]: 'socket' } });
    let round = 0;
    let version = '';
    let instance: string | string[] | undefined;
    const silence = setTimeout(() => client.terminate(), silenceMs + rounds * everyMs);
    client.on('upgrade', (answer) => {
      instance = answer.headers[headers.instance];
    });
    client.on('open', () => client.send('0'));
    client.on('error', (error) => reject(new StreamBroken(words(error), instance)));
    client.on('close', (code) => {
      clearTimeout(silence);
      if (round >= rounds && code === 1000) resolve();
      else reject(new StreamBroken(`closed with ${code} after ${round} of ${rounds} messages`, instance));
    });
    client.on('message', (message: Buffer) => {
      const text = message.toString();
      version ||= text.split(' ', 1)[0] ?? '';
      if (text !== answerBody(version, String(round))) reject(new StreamBroken(`wrong message: ${text}`, instance));
      round += 1;
      if (round >= rounds) client.close(1000);
      else setTimeout(() => client.send(String(round)), everyMs);
    });
  });
};

function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${error.message} (${String(error.code)})` : error.message;
}
