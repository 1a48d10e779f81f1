// Sends requests at a steady rate over kept-alive connections, several at once on each, and counts the answers. Started as a process.

import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** From the benchmark. */
export interface SendOrder {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** Kept open, as many at each of NGINX's workers. */
  readonly connections: number;
  readonly workers: number;
}

/** To the benchmark. */
export interface SendReport {
  /** Answered before the steady rate began, to find out about connections. */
  readonly first: number;
  readonly sent: number;
  readonly answered: number;
  readonly tookMs: number;
  /** Of all processors, microseconds. */
  readonly processorUs: number;
}

const turnMs = 10;
/** How long after the last request answers are waited for. */
const lateMs = 30_000;
/** What a late turn left out is sent later, never more than NGINX can have in hand. */
const atOnceMax = 50;
const request = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n';
const answerMark = 'HTTP/1.1 ';
/** All connections read into it: what is in it is counted before the next one reads. */
const received = Buffer.alloc(256 * 1024);

class Connection {
  sent = 0;
  answered = 0;
  /** Of NGINX, by what the first answer says. */
  readonly worker: Promise<string>;
  readonly #socket: Socket;
  #tail = '';

  constructor(port: number) {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.worker = promise;
    const onread = {
      buffer: received,
      callback: (bytes: number): boolean => {
        const read = received.subarray(0, bytes);
        if (this.answered === 0) resolve(/^X-Worker: (\d+)/m.exec(read.toString('latin1'))?.[1] ?? '');
        this.#count(read);
        // Nothing is read before the next turn: reading each answer by itself would cost as much as NGINX does.
        return false;
      },
    };
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
    this.#socket.on('error', (error) => {
      throw error;
    });
    this.turn(1);
  }

  turn(count: number): void {
    this.#socket.resume();
    if (count === 0) return;
    this.#socket.write(request.repeat(count), 'latin1');
    this.sent += count;
  }

  close(): void {
    this.#socket.destroy();
  }

  /** A mark may be cut in two; both pieces are shorter than a mark, so none is counted twice. */
  #count(bytes: Buffer): void {
    const piece = answerMark.length - 1;
    if ((this.#tail + bytes.toString('latin1', 0, piece)).includes(answerMark)) this.answered += 1;
    for (let at = bytes.indexOf(answerMark); at >= 0; at = bytes.indexOf(answerMark, at + answerMark.length))
      this.answered += 1;
    this.#tail = (this.#tail + bytes.toString('latin1', Math.max(0, bytes.length - piece))).slice(-piece);
  }
}

/** Which worker takes a connection is the system's choice, often the same one; all on one worker would measure one processor. */
async function spread({
  port,
  connections,
  workers,
}: SendOrder): Promise<readonly [all: Connection[], opened: number]> {
  const kept = new Map<string, Connection[]>();
  for (let opened = connections; ; opened += connections) {
    const fresh = Array.from({ length: connections }, () => new Connection(port));
    for (const connection of fresh) {
      const worker = await connection.worker;
      const same = kept.get(worker) ?? [];
      kept.set(worker, same);
      if (same.length < connections / workers) same.push(connection);
      else connection.close();
    }
    const all = [...kept.values()].flat();
    if (all.length >= connections) return [all, opened];
  }
}

process.once('message', (order: SendOrder) => void run(order));

async function run(order: SendOrder): Promise<void> {
  const [all, first] = await spread(order);
  const sum = (of: (connection: Connection) => number): number => all.reduce((total, one) => total + of(one), 0);
  const sent = (): number => sum((one) => one.sent) - all.length;
  const answered = (): number => sum((one) => one.answered) - all.length;
  const began = performance.now();
  const elapsedMs = (): number => performance.now() - began;
  const lastMs = order.seconds * 1000;
  while (elapsedMs() < lastMs || (answered() < sent() && elapsedMs() < lastMs + lateMs)) {
    const due = Math.floor((order.perSecond * Math.min(lastMs, elapsedMs())) / 1000);
    const owed = Math.min(due - sent(), atOnceMax * all.length);
    for (const [index, connection] of all.entries())
      connection.turn(Math.floor((owed * (index + 1)) / all.length) - Math.floor((owed * index) / all.length));
    await sleep(turnMs);
  }
  const { user, system } = process.cpuUsage();
  const processorUs = user + system;
  const report: SendReport = { first, sent: sent(), answered: answered(), tookMs: elapsedMs(), processorUs };
  process.send?.(report, () => process.exit(0));
}
