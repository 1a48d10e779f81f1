// The port that the log is sent to: the same for as long as the include names it.

import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

import { Failure } from '../../../base/failure.ts';
import { isCode } from '../../../base/system-error.ts';

/** Below the ports that Linux gives to connections, and above those that the process platform gives to instances. */
const [first, last] = [32_000, 32_767] as const;
const attempts = 200;

export async function isFreeForFeed(host: string, port: number): Promise<boolean> {
  const socket = createSocket({ type: host.includes(':') ? 'udp6' : 'udp4' });
  try {
    socket.bind({ address: host, port, exclusive: true });
    await once(socket, 'listening');
    return true;
  } catch (error) {
    if (isCode(error, 'EADDRINUSE', 'EACCES')) return false;
    throw new Failure('config.invalid', `Sluice cannot listen on ${host} for NGINX’s log: ${String(error)}`, {
      at: 'router.nginx.feedHost',
      remedy: 'Name an address of this machine that NGINX reaches.',
      cause: error,
    });
  } finally {
    socket.close();
  }
}

/** Rejects with `port.taken`. */
export async function freeFeedPort(host: string): Promise<number> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    const port = randomInt(first, last + 1);
    if (await isFreeForFeed(host, port)) return port;
  }
  throw new Failure('port.taken', `No port from ${first} to ${last} is free for NGINX’s log.`, {
    at: host,
    remedy: 'Stop what listens there.',
  });
}
