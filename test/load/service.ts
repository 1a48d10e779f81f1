// The service under load: answers that name their release, streams whose every byte is known, and a record of when each request came.
// Its working directory is the release; `version.json` there says who it is and what share of its answers are errors on purpose.

import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join } from 'node:path';

import { WebSocketServer } from 'ws';
import { isPattern, patternAt } from './pattern.ts';
import { answerBody, headers, type InstanceRecord, type ReleaseFile, type StartTimes } from './protocol.ts';

const release = JSON.parse(readFileSync('version.json', 'utf8')) as ReleaseFile;
const instance = process.env['SLUICE_INSTANCE'] ?? 'unnamed';
/** Epoch milliseconds of each request of the load, in the order in which they came. */
const arrivals: number[] = [];
let answered = 0;

const server = createServer((request, response) => {
  response.setHeader(headers.release, release.version);
  response.setHeader(headers.instance, instance);
  const url = new URL(request.url ?? '/', 'http://service');
  if (request.headers[headers.load] !== undefined) arrivals.push(Date.now());
  if (url.pathname === '/health') response.end('well');
  else if (url.pathname === '/started') response.end(JSON.stringify(startTimes));
  else if (url.pathname === '/stream') stream(url, response);
  else if (url.pathname === '/upload') upload(request, response);
  else answer(url, request, response);
});

/** Every so many answers one is an error, spread evenly: a share of 10 % is each tenth. */
function isBad(): boolean {
  answered += 1;
  return Math.floor(answered * release.errors) > Math.floor((answered - 1) * release.errors);
}

function answer(url: URL, request: IncomingMessage, response: ServerResponse): void {
  const bad = isBad();
  request.resume();
  request.on('end', () => {
    if (bad) response.setHeader(headers.deliberate, 'yes');
    response.statusCode = bad ? 500 : 200;
    response.end(answerBody(release.version, url.searchParams.get('id') ?? ''));
  });
}

/** `pieces` pieces of `bytes` bytes, one every `every` milliseconds. */
function stream(url: URL, response: ServerResponse): void {
  const [pieces, bytes, every] = ['pieces', 'bytes', 'every'].map((name) => Number(url.searchParams.get(name)));
  let offset = 0;
  const total = (pieces ?? 0) * (bytes ?? 0);
  const timer = setInterval(() => {
    response.write(patternAt(offset, bytes ?? 0));
    offset += bytes ?? 0;
    if (offset < total) return;
    clearInterval(timer);
    response.end();
  }, every);
  response.on('close', () => clearInterval(timer));
}

function upload(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  let right = true;
  request.on('data', (chunk: Buffer) => {
    right &&= isPattern(chunk, bytes);
    bytes += chunk.length;
  });
  request.on('end', () => response.end(JSON.stringify({ bytes, right })));
}

const sockets = new WebSocketServer({ server, path: '/socket' });
sockets.on('headers', (lines, request) => {
  lines.push(`${headers.release}: ${release.version}`, `${headers.instance}: ${instance}`);
  if (request.headers[headers.load] !== undefined) arrivals.push(Date.now());
});
sockets.on('connection', (socket) => {
  socket.on('error', () => undefined);
  socket.on('message', (message: Buffer) => socket.send(answerBody(release.version, message.toString())));
});

let startTimes: StartTimes | undefined;
server.listen(Number(process.env['PORT']), process.env['HOST'] ?? '127.0.0.1', () => {
  startTimes = { began: performance.timeOrigin, listening: performance.timeOrigin + performance.now() };
});

/** As a well-behaved service: takes no more, ends what it has, tells what it saw. A second signal or the grace ends it at once. */
process.once('SIGTERM', () => {
  const record: InstanceRecord = { instance, version: release.version, arrivals };
  const directory = process.env['RECORDS'];
  if (directory !== undefined) writeFileSync(join(directory, `${instance}.json`), JSON.stringify(record));
  server.close(() => process.exit(0));
  server.closeIdleConnections();
  for (const socket of sockets.clients) socket.close(1001);
});
