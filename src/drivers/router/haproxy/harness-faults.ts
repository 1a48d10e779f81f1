// What goes wrong in the tests of the HAProxy driver, and the visitors who must not notice.

import assert from 'node:assert/strict';
import { Agent, request } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A socket in front of HAProxy's that ends with the order after so many, as if the controller had been killed. */
export async function cutAfter(
  path: string,
  target: string,
  orders: number,
): Promise<{ readonly path: string; close(): void }> {
  let left = orders;
  const server = createTcpServer((socket) => {
    const upstream = connect(target);
    upstream.pipe(socket);
    socket.on('data', (chunk: Buffer) => {
      // The driver waits for each answer, so that a chunk is one order.
      if (left === 0) socket.destroy();
      else {
        left -= 1;
        upstream.write(chunk);
      }
    });
    socket.on('close', () => upstream.destroy());
    socket.on('error', () => undefined);
    upstream.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => {
    server.listen(path, resolve);
  });
  return { path, close: () => void server.close() };
}

interface Load {
  readonly served: number;
  /** What went wrong. */
  stop(): Promise<readonly string[]>;
}

/** Sixteen visitors over connections that they keep. */
export function startLoad(address: { readonly host: string; readonly port: number }): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const state = { served: 0, stopped: false };
  const problems: string[] = [];
  const visit = (): Promise<void> =>
    new Promise((resolve) => {
      const asked = request({ ...address, agent }, (answer) => {
        answer.resume();
        answer.on('end', () => {
          state.served += 1;
          if (answer.statusCode !== 200) problems.push(String(answer.statusCode));
          resolve();
        });
      });
      asked.on('error', (error) => {
        problems.push(error.message);
        resolve();
      });
      asked.end();
    });
  const visitors = Array.from({ length: 16 }, async () => {
    while (!state.stopped) {
      await visit();
      await sleep(1);
    }
  });
  return {
    get served() {
      return state.served;
    },
    stop: async () => {
      state.stopped = true;
      await Promise.all(visitors);
      agent.destroy();
      return problems;
    },
  };
}

/** Waits for something that will come, however slow the machine is. */
export async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (holds()) return;
    await sleep(10);
  }
  assert.fail('it did not happen');
}
