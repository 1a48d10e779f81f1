// Sends requests at a steady rate over kept-alive connections, several at once on each, and counts the answers. Started as a process.

import { connect, type Socket } from 'node:net';

/** From the benchmark. */
export interface SendOrder {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly connections: number;
}

/** To the benchmark. */
export interface SendReport {
  readonly sent: number;
  readonly answered: number;
  readonly tookMs: number;
}

const tickMs = 5;
const request = 'GET / HTTP/1.1\r\nHost: bench\r\n\r\n';
const answerMark = 'HTTP/1.1 ';

class Connection {
  sent = 0;
  answered = 0;
  readonly socket: Socket;
  #tail = '';

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.socket.setEncoding('latin1');
    this.socket.on('data', (text: string) => this.#count(text));
    this.socket.on('error', (error) => {
      throw error;
    });
  }

  send(count: number): void {
    if (count <= 0) return;
    this.socket.write(request.repeat(count));
    this.sent += count;
  }

  /** A mark may be cut in two; the tail is shorter than a mark, so none is counted twice. */
  #count(text: string): void {
    const whole = this.#tail + text;
    for (let at = whole.indexOf(answerMark); at >= 0; at = whole.indexOf(answerMark, at + answerMark.length))
      this.answered += 1;
    this.#tail = whole.slice(-(answerMark.length - 1));
  }
}

process.once('message', (order: SendOrder) => void run(order));

async function run({ port, perSecond, seconds, connections }: SendOrder): Promise<void> {
  const all = Array.from({ length: connections }, () => new Connection(port));
  const sum = (of: (connection: Connection) => number): number => all.reduce((total, one) => total + of(one), 0);
  const began = performance.now();
  let turn = 0;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const elapsed = Math.min(seconds, (performance.now() - began) / 1000);
      // What a late timer left out is sent later, never more than NGINX can have in hand.
      const owed = Math.min(perSecond * elapsed - sum(({ sent }) => sent), 50 * connections);
      for (let count = Math.floor(owed); count > 0;) {
        const some = Math.min(count, Math.ceil(owed / connections));
        all[turn++ % connections]?.send(some);
        count -= some;
      }
      if (elapsed < seconds) return;
      clearInterval(timer);
      resolve();
    }, tickMs);
  });
  const sent = sum((one) => one.sent);
  while (sum(({ answered }) => answered) < sent && performance.now() - began < (seconds + 30) * 1000)
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  const tookMs = performance.now() - began;
  const report: SendReport = { sent, answered: sum(({ answered }) => answered), tookMs };
  process.send?.(report, () => process.exit(0));
}
