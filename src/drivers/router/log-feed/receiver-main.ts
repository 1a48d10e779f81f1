// The thread that receives log lines: it does nothing else, so that it is never late.

import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

import { Frames } from './frames.ts';
import { kernelDrops } from './kernel-drops.ts';
import { longestLine } from './line.ts';
import type { ReceiverCommand, ReceiverOrder, ReceiverReport } from './receiver-protocol.ts';

/** Handed over at least this often while there are lines. */
const handOverMs = 50;
/** Lines that may wait for the controller before more are thrown away: about ten seconds at 20,000 a second. */
const waitingMax = 200_000;
/** As much as the system allows; Linux grants at most net.core.rmem_max. */
const bufferBytes = 16 * 1024 * 1024;
const connectionsMax = 64;

// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- both ends are this program
const order = workerData as ReceiverOrder;
const family = order.host.includes(':') ? 'udp6' : 'udp4';
const controller = parentPort;
if (controller === null) throw new Error('the receiver runs as a thread only');

let lines: string[] = [];
let lost = 0;
let taken = true;
let dropsTold = 0;
let localPort = 0;
/** Sent to ourselves: behind it in the socket is only what came later. */
const mark = randomUUID();
let catchingUp: 'no' | 'until the mark comes' | 'until lines are taken' = 'no';

const report = (message: ReceiverReport): void => controller.postMessage(message);

function take(line: string): void {
  if (lines.length >= waitingMax) lost += 1;
  else lines.push(line.length > longestLine ? line.slice(0, longestLine + 1) : line);
}

function handOver(): void {
  if (!taken) return;
  if (order.transport === 'udp') lost += newDrops();
  if (lines.length > 0 || lost > 0) {
    taken = false;
    report({ kind: 'lines', text: lines.join('\n'), lost });
    lines = [];
    lost = 0;
  }
  if (catchingUp !== 'until lines are taken') return;
  catchingUp = 'no';
  report({ kind: 'caught-up' });
}

/** Since the last look. */
function newDrops(): number {
  const drops = kernelDrops(family, localPort);
  const fresh = drops - dropsTold;
  dropsTold = drops;
  return Math.max(0, fresh);
}

function failed(error: NodeJS.ErrnoException): void {
  report({ kind: 'failed', code: error.code ?? 'unknown', message: error.message });
}

/** The two ends of a transport. */
interface Listening {
  catchUp(): void;
  close(): void;
}

function listenUdp(): Listening {
  const socket = createSocket({ type: family });
  socket.on('error', failed);
  socket.on('message', (message, { port }) => {
    if (port === localPort && message.toString('latin1') === mark) {
      if (catchingUp === 'until the mark comes') catchingUp = 'until lines are taken';
      return;
    }
    const end = message.at(-1) === 10 ? message.length - 1 : message.length;
    take(message.toString('latin1', 0, Math.min(end, longestLine + 1)).replaceAll('\n', ' '));
  });
  socket.bind({ address: order.host, port: order.port, exclusive: true }, () => {
    socket.setRecvBufferSize(bufferBytes);
    localPort = socket.address().port;
    report({ kind: 'listening', port: localPort, bufferBytes: socket.getRecvBufferSize() });
  });
  const self = order.host === '0.0.0.0' ? '127.0.0.1' : order.host === '::' ? '::1' : order.host;
  return {
    catchUp: () => {
      catchingUp = 'until the mark comes';
      // A socket without room loses it like any other.
      socket.send(mark, localPort, self, () => undefined);
    },
    close: () => socket.close(),
  };
}

function listenTcp(): Listening {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    const frames = new Frames(longestLine, take);
    socket.on('data', (chunk: Buffer) => {
      if (!frames.push(chunk)) socket.destroy();
    });
    // A sender that goes away may do so at any time; it connects again.
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  server.maxConnections = connectionsMax;
  server.on('error', failed);
  server.listen({ host: order.host, port: order.port, exclusive: true }, () => {
    localPort = (server.address() as AddressInfo).port;
    report({ kind: 'listening', port: localPort, bufferBytes: 0 });
  });
  return {
    // Each connection is a stream of its own, so that nothing can be said of them all.
    catchUp: () => {
      catchingUp = 'until lines are taken';
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const listening = order.transport === 'udp' ? listenUdp() : listenTcp();
const timer = setInterval(() => {
  if (catchingUp === 'until the mark comes') listening.catchUp();
  handOver();
}, handOverMs);
controller.on('message', (command: ReceiverCommand) => {
  switch (command) {
    case 'taken':
      taken = true;
      break;
    case 'catch-up':
      listening.catchUp();
      break;
    case 'end':
      clearInterval(timer);
      listening.close();
      controller.close();
      break;
  }
});
