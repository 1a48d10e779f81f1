// Chooses the port of an instance.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { Failure } from '../../../base/failure.ts';
import { isCode } from '../../../base/system-error.ts';

export interface PortRange {
  readonly first: number;
  readonly last: number;
  /** Whether the lowest free one is taken, so that the same ports come back; otherwise any. */
  readonly lowest?: boolean | undefined;
}

/**
 * Below the ports that Linux gives to outgoing connections (32768 and up), so that no connection takes the port of an instance
 * while it starts again.
 */
export const defaultPorts: PortRange = { first: 20_000, last: 31_999 };

/** A port that nobody listens on and that is not in `taken`; `preferred` where it is free. Rejects with `port.taken`. */
export async function choosePort(range: PortRange, taken: ReadonlySet<number>, preferred?: number): Promise<number> {
  if (preferred !== undefined && !taken.has(preferred) && (await isFree(preferred))) return preferred;
  const count = range.last - range.first + 1;
  // A random beginning keeps controllers with other state directories out of each other's way.
  const begin = range.lowest === true ? 0 : randomInt(count);
  for (let step = 0; step < count; step += 1) {
    const port = range.first + ((begin + step) % count);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
  throw new Failure('port.taken', `No port from ${range.first} to ${range.last} is free for an instance.`, {
    at: `127.0.0.1:${range.first}-${range.last}`,
    remedy: 'Stop what listens there, or let fewer instances run.',
  });
}

/** Whether a server could listen on the port, on loopback as well as on all addresses. */
async function isFree(port: number): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', (error) => {
    if (isCode(error, 'EADDRINUSE', 'EACCES')) resolve(false);
    else reject(error);
  });
  server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}
