// The load generator for machines without wrk: `own-load.ts PORT CONNECTIONS SECONDS PATH` prints a LoadResult as JSON.

import { connect } from 'node:net';

import type { LoadResult } from './load.ts';

const [port, connections, seconds] = process.argv.slice(2, 5).map(Number);
const request = `GET ${process.argv[5]} HTTP/1.1\r\nHost: bench\r\n\r\n`;
const latencies: number[] = [];
let failed = 0;
let over = false;

function open(): void {
  const socket = connect({ port: port ?? 0, host: '127.0.0.1', noDelay: true });
  let pending = '';
  let sentAt = 0;
  const send = (): void => {
    sentAt = performance.now();
    socket.write(request, 'latin1');
  };
  socket.on('connect', send);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    if (!over) failed += 1;
  });
  socket.on('data', (chunk: Buffer) => {
    pending += chunk.toString('latin1');
    const end = pending.indexOf('\r\n\r\n');
    const length = Number(/content-length: (\d+)/i.exec(pending)?.[1] ?? Number.NaN);
    if (end < 0 || pending.length < end + 4 + length) return;
    latencies.push(performance.now() - sentAt);
    if (!pending.startsWith('HTTP/1.1 200')) failed += 1;
    pending = '';
    if (over) socket.destroy();
    else send();
  });
}

for (let count = 0; count < (connections ?? 1); count++) open();
setTimeout(
  () => {
    over = true;
    latencies.sort((a, b) => a - b);
    const at = (share: number): number => latencies[Math.floor(latencies.length * share)] ?? Number.NaN;
    const result: LoadResult = {
      requestsPerSecond: latencies.length / (seconds ?? 1),
      p50Ms: at(0.5),
      p99Ms: at(0.99),
      failed,
    };
    console.log(JSON.stringify(result));
    process.exit(0);
  },
  (seconds ?? 1) * 1000,
);
