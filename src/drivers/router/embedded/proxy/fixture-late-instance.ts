// An instance that takes no connection until it is told to, and answers with how much of a body it got; a thread, so that it can stand still.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

/** A number that is 0 until connections may be taken. */
const told: unknown = workerData;
assert.ok(told instanceof Int32Array);

const server = createServer((asked, answer) => {
  let bytes = 0;
  asked.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
  });
  asked.on('end', () => answer.end(`${bytes} bytes`));
});
// The system takes two connections by itself; those who ask for another one wait.
server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
  parentPort?.postMessage((server.address() as AddressInfo).port);
  Atomics.wait(told, 0, 0);
});
