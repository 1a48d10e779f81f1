// Finds ports of loopback that nobody listens on, below those that instances get and those of outgoing connections.

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { Failure } from '../base/failure.ts';

const lowest = 10_000;
const highest = 11_999;
const attempts = 200;

/** So many different ports; another program may still take one before it is used. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const found = new Set<number>();
  for (let attempt = 0; attempt < attempts && found.size < count; attempt += 1) {
    const port = randomInt(lowest, highest + 1);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  if (found.size === count) return [...found];
  throw new Failure('port.taken', `no ${count} free ports between ${lowest} and ${highest} were found`, {
    at: '127.0.0.1',
    remedy: 'End programs that listen there, and begin again.',
  });
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
