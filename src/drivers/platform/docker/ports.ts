// Chooses the ports at which containers are published.

import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';
import { Failure } from '../../../base/failure.ts';
import { isCode } from '../../../base/system-error.ts';
import type { EngineApi } from './engine-api.ts';
import { label } from './names.ts';

export interface PortSource {
  /** The address that ports are published on. */
  readonly host: string;
  /** The lowest free port of these; undefined: any free one. */
  readonly range?: { readonly from: number; readonly to: number } | undefined;
}

/** Below the ports that Linux gives to outgoing connections, so that none of those takes the port of a container that starts again. */
const anyPort = { from: 20_000, to: 31_999 };

/** So many ports that no container has and nobody listens on. Rejects with `port.taken`. */
export async function choosePorts(
  api: EngineApi,
  source: PortSource,
  count: number,
  refused: ReadonlySet<number>,
): Promise<readonly number[]> {
  const { from, to } = source.range ?? anyPort;
  const size = to - from + 1;
  // A random beginning keeps controllers out of each other's way; in a range of somebody's own the order is part of the promise.
  const begin = source.range === undefined ? randomInt(size) : 0;
  const taken = await takenPorts(api);
  const chosen: number[] = [];
  for (let step = 0; step < size && chosen.length < count; step += 1) {
    const port = from + ((begin + step) % size);
    if (!taken.has(port) && !refused.has(port) && (await isFree(source.host, port))) chosen.push(port);
  }
  if (chosen.length === count) return chosen;
  throw new Failure(
    'port.taken',
    `Of the ports from ${from} to ${to}, ${chosen.length} are free, but ${count} more instances are wanted.`,
    {
      at: `${source.host}:${from}-${to}`,
      remedy:
        'Widen `platform.docker.ports`, or stop what has these ports; a new release needs ports beside the old one’s.',
    },
  );
}

/** Those of containers that do not run count too: they want theirs back when they are started again. */
async function takenPorts(api: EngineApi): Promise<ReadonlySet<number>> {
  const taken = new Set<number>();
  for (const { Labels, Ports, Names } of await api.containers()) {
    for (const { PublicPort } of Ports ?? []) if (PublicPort !== undefined) taken.add(PublicPort);
    const own = Number(Labels[label.port] ?? 0);
    if (own > 0 && !(Names ?? []).some((name) => name.includes('.ended-'))) taken.add(own);
  }
  return taken;
}

/**
 * Whether a server could listen there. Of an address of another machine nothing is known, nor of a port that is not for this user;
 * the engine will say.
 */
async function isFree(host: string, port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', (error) => resolve(isCode(error, 'EADDRNOTAVAIL', 'EACCES')));
  server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(true)));
  return promise;
}
