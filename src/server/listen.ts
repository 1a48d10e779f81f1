// Opens the doors of the server: its unix socket and its TCP address, which is loopback unless there is a token.

import { lookup } from 'node:dns/promises';
import { type Server, createServer } from 'node:http';
import { type AddressInfo, BlockList, isIPv6 } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener, type Http2Bindings, type HttpBindings } from '@hono/node-server';
import { loadRequestSchemas } from '../api/routes.ts';
import { Failure } from '../base/failure.ts';
import { failureCatalogue } from '../base/failure-catalogue.ts';
import { type Address, addressName } from '../core/instance.ts';
import type { App } from './app.ts';
import type { Caller } from './guard.ts';
import { isStream } from './stream-answer.ts';
import { startListening } from './start-listening.ts';
import { listenOnPath } from './unix-socket.ts';

export interface ListenOptions {
  readonly app: App;
  /** Absolute path of the unix socket; undefined: none. */
  readonly unixSocket?: string | undefined;
  /** Defaults to 127.0.0.1. */
  readonly host?: string | undefined;
  /** 0: any free one; undefined: no TCP. */
  readonly port?: number | undefined;
}

export interface Listening {
  /** Where the server can be reached: `http://127.0.0.1:7433`, `/run/sluice.sock`. */
  readonly addresses: readonly string[];
  /** The TCP port, where there is one. */
  readonly port?: number | undefined;
  /** Frees the addresses, ends streams and connections; requests that are being answered are given a moment. */
  close(): Promise<void>;
}

/** How long requests under way may go on when the server closes; milliseconds. */
const closingMs = 1000;

/**
 * Opens the unix socket and the TCP address. Rejects with `server.token` for an address beyond loopback without a token,
 * `server.running`, `port.taken` or `server.listen`; then nothing is left open.
 */
export async function listen(options: ListenOptions): Promise<Listening> {
  const { app, unixSocket, host = '127.0.0.1', port } = options;
  await loadRequestSchemas();
  const opened: Opened[] = [];
  try {
    if (port !== undefined) opened.push(await openTcp(app, host, port));
    if (unixSocket !== undefined) opened.push(await openUnix(app, unixSocket));
  } catch (error) {
    await Promise.all(opened.map((each) => each.close()));
    throw error;
  }
  const tcpPort = opened.find((each) => each.port !== undefined)?.port;
  return {
    addresses: opened.map((each) => each.address),
    ...(tcpPort === undefined ? {} : { port: tcpPort }),
    close: async () => {
      await Promise.all(opened.map((each) => each.close()));
    },
  };
}

interface Opened {
  readonly address: string;
  readonly port?: number | undefined;
  close(): Promise<void>;
}

async function openTcp(app: App, host: string, port: number): Promise<Opened> {
  const address = await resolve(host);
  const loopback = isLoopback(address);
  if (!loopback && !app.hasToken) throw tokenNeeded(host);
  const { server, close } = serve(app, { transport: 'tcp', loopback });
  try {
    await startListening(server, { host: address, port });
  } catch (error) {
    throw cannotListen({ host, port }, error);
  }
  const bound = server.address() as AddressInfo;
  const name = addressName({ host: bound.address, port: bound.port });
  return { address: `http://${name}`, port: bound.port, close };
}

async function openUnix(app: App, path: string): Promise<Opened> {
  const { server, close } = serve(app, { transport: 'unix', loopback: true });
  const free = await listenOnPath(server, path);
  return {
    address: path,
    close: async () => {
      free();
      await close();
    },
  };
}

interface Serving {
  readonly server: Server;
  readonly close: () => Promise<void>;
}

function serve(app: App, caller: Caller): Serving {
  const streaming = new Set<Duplex>();
  const answer = async (request: Request, { incoming }: HttpBindings | Http2Bindings): Promise<Response> => {
    const answered = await app.fetch(request, caller);
    if (isStream(answered)) {
      streaming.add(incoming.socket);
      incoming.socket.once('close', () => streaming.delete(incoming.socket));
    }
    return answered;
  };
  const listener = getRequestListener(answer, { overrideGlobalObjects: false });
  const limits = { headersTimeout: 10_000, requestTimeout: 60_000, maxHeaderSize: 16_384, keepAlive: true };
  const server = createServer(limits, (incoming, outgoing) => void listener(incoming, outgoing));
  server.maxConnections = 1024;
  // A connection that could not be accepted (too many open files) must not end the controller.
  const refused = (error: Error): void => app.log.write('warn', 'connection not accepted', { reason: error.message });
  server.once('listening', () => server.on('error', refused));
  return {
    server,
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      // A stream has no end to wait for; whoever reads it sees that the server went.
      for (const socket of streaming) socket.destroy();
      server.closeIdleConnections();
      const timer = setTimeout(() => server.closeAllConnections(), closingMs);
      await promise;
      clearTimeout(timer);
    },
  };
}

const loopbacks = new BlockList();
loopbacks.addSubnet('127.0.0.0', 8, 'ipv4');
loopbacks.addAddress('::1', 'ipv6');

function isLoopback(address: string): boolean {
  return loopbacks.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/** Whether only this machine can reach it. Rejects with `server.listen` for a name that has no address. */
export async function isLoopbackHost(host: string): Promise<boolean> {
  return isLoopback(await resolve(host));
}

/** The address behind a name, so that what is checked is what is listened on. */
async function resolve(host: string): Promise<string> {
  try {
    return (await lookup(host)).address;
  } catch (error) {
    throw listenFailure(host, error);
  }
}

function tokenNeeded(host: string): Failure {
  const message = `${host} can be reached from other machines, and no token is set.`;
  return new Failure('server.token', message, { at: host, remedy: failureCatalogue['server.token'].remedy });
}

function cannotListen(address: Address, error: unknown): Failure {
  const name = addressName(address);
  if (!(error instanceof Error && 'code' in error && error.code === 'EADDRINUSE')) return listenFailure(name, error);
  const { remedy } = failureCatalogue['port.taken'];
  return new Failure('port.taken', `The address ${name} is in use.`, { at: name, remedy, cause: error });
}

function listenFailure(name: string, cause: unknown): Failure {
  const words = cause instanceof Error ? cause.message : String(cause);
  const { remedy } = failureCatalogue['server.listen'];
  return new Failure('server.listen', `The server cannot listen on ${name}: ${words}.`, { at: name, remedy, cause });
}
