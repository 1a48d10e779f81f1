// A way to the container engine that breaks with one change: from then on nobody is answered, as if who asked had been killed there.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { engineSocket } from './engine.ts';

export interface CutEngine {
  readonly socket: string;
  /** The change at which it broke; undefined: there was none. */
  readonly broke: () => string | undefined;
  close(): Promise<void>;
}

/** Breaks at the n-th change, counted from 1: `before` the engine hears of it, or `after` it has made it and before it can say so. */
export async function cutEngine(side: 'before' | 'after', change: number): Promise<CutEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-cut-'));
  const socket = join(directory, 'engine.sock');
  let broke: string | undefined;
  let left = change;
  const server = createServer((asked, answer) => {
    const { method, url, headers } = asked;
    if (method !== 'GET') left -= 1;
    const isCut = broke !== undefined || left === 0;
    if (isCut && (broke !== undefined || side === 'before')) {
      broke ??= `${method} ${url}`;
      asked.socket.destroy();
      return;
    }
    if (isCut) broke = `${method} ${url}`;
    const passed = request({ socketPath: engineSocket, method, path: url, headers }, (reply) => {
      if (isCut) {
        reply.resume();
        reply.once('end', () => asked.socket.destroy());
        return;
      }
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    passed.on('error', () => asked.socket.destroy());
    asked.pipe(passed);
  });
  server.listen(socket);
  await once(server, 'listening');
  return {
    socket,
    broke: () => broke,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
