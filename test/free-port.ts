// Ports for tests that must name one before something listens on it.

import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ListenOptions, type Server } from 'node:net';

import { isCode } from '../src/base/system-error.ts';

/** Below those that the system gives to connections, and below those that Sluice gives to instances, so that none takes one before it is used. */
const lowest = 12_000;
const highest = 19_999;

/** A port that nobody listens on, and that no other call in any test that runs gets for as long as this process lives. */
export async function freePort(): Promise<number> {
  return (await freePorts(1)).from;
}

/** So many such ports in a row. */
export async function freePorts(count: number): Promise<{ readonly from: number; readonly to: number }> {
  for (;;) {
    const from = randomInt(lowest, highest + 2 - count);
    const to = from + count - 1;
    if (await areFree(from, to)) return { from, to };
  }
}

async function areFree(from: number, to: number): Promise<boolean> {
  for (let port = from; port <= to; port += 1) if (!(await claim(port)) || !(await isFree(port))) return false;
  return true;
}

/** Test files run side by side. The name of a socket marks a port as drawn, and the system forgets it with the process. */
async function claim(port: number): Promise<boolean> {
  const mark = await listening({ path: `\0sluice-test-port-${port}` });
  mark?.unref();
  return mark !== undefined;
}

async function isFree(port: number): Promise<boolean> {
  const server = await listening({ port, host: '127.0.0.1' });
  if (server === undefined) return false;
  server.close();
  await once(server, 'close');
  return true;
}

async function listening(where: ListenOptions): Promise<Server | undefined> {
  const server = createServer().listen({ ...where, exclusive: true });
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (isCode(error, 'EADDRINUSE')) return undefined;
    throw error;
  }
}
