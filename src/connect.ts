// Finds the controller for a command: a server, or else this process. Only the latter loads the drivers.

import { existsSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { Failure } from './base/failure.ts';
import type { Connection, ConnectOptions } from './cli/context.ts';
import { createClient, type Client } from './client/client.ts';
import { readOwnToken } from './own-token.ts';
import { placesUnder } from './places.ts';

/** The server that is named, the one that listens under `home`, or else a controller in this process. */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const named = options.server === undefined ? undefined : addressOf(options.server);
  const { socket, token: tokenFile } = placesUnder(options.home);
  if (named !== undefined) return remote(createClient({ ...named, token: options.token ?? readOwnToken(tokenFile) }));
  const running = await serverAt(socket, options.token);
  if (running !== undefined) return remote(running);
  const { connectHere } = await import('./compose.ts');
  return connectHere(options);
}

function addressOf(server: string): { readonly url: string } | { readonly socket: string } {
  return isAbsolute(server) ? { socket: server } : { url: server };
}

function remote(client: Client): Connection {
  return { client, mode: 'server', close: () => client.close() };
}

/** Undefined where no server answers: its socket is missing, or left over from a dead one. */
async function serverAt(socket: string, token: string | undefined): Promise<Client | undefined> {
  if (!existsSync(socket)) return undefined;
  const client = createClient({ socket, token });
  try {
    await client.health();
    return client;
  } catch (error) {
    await client.close();
    if (error instanceof Failure && error.code === 'server.unreachable') return undefined;
    throw error;
  }
}
