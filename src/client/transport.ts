// How requests reach a server: over its unix socket, or over TCP.

import type { ClientRequest, IncomingMessage } from 'node:http';
import { silenceMs } from '../api/protocol.ts';

/** Where the server is. */
export type ServerAddress =
  | { readonly socket: string }
  /** `http://host:port` or `https://…`; a path of it is put before each route's. */
  | { readonly url: string };

export interface TransportRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The answer may take minutes to begin. */
  readonly slow: boolean;
}

/** An answer whose body has not been read yet. Not reading it to its end closes the connection. */
export interface TransportAnswer {
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
  /** Gives the body up. */
  readonly cancel: () => void;
}

export interface Transport {
  /** The server as people name it. */
  readonly name: string;
  /** Rejects when nothing answers; the body then fails when the server falls silent. */
  send(request: TransportRequest): Promise<TransportAnswer>;
  /** Cuts what is still open. */
  close(): void;
}

/** How long a server may be silent in each phase; milliseconds, 0 for ever. */
export interface Patience {
  readonly connectMs: number;
  /** Until the answer to a question that costs nothing begins. */
  readonly quickMs: number;
  /** Within an answer. */
  readonly bodyMs: number;
}

const usualPatience: Patience = { connectMs: 5000, quickMs: 30_000, bodyMs: silenceMs };

export function transportTo(address: ServerAddress, patience = usualPatience): Transport {
  if ('socket' in address) return overNetwork(address.socket, 'http://localhost', address.socket, patience);
  return overNetwork(address.url, address.url.replace(/\/+$/, ''), undefined, patience);
}

/** A connection for each request: between processes of one machine it costs nothing, and none can be stale. */
function overNetwork(name: string, base: string, socketPath: string | undefined, patience: Patience): Transport {
  const open = new Set<ClientRequest>();
  return {
    name,
    send: async ({ method, path, headers, body = '', signal, slow }) => {
      const url = new URL(`${base}${path}`);
      // Importing this module would load Node's own `fetch` with it, which takes five times as long.
      const { request: ask } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
      const sized = { ...headers, 'content-length': String(Buffer.byteLength(body)) };
      const timeout = patience.connectMs;
      const asking = ask(url, { method, headers: sized, socketPath, signal, timeout, agent: false });
      open.add(asking);
      asking.once('close', () => open.delete(asking));
      watch(asking, { ...patience, quickMs: slow ? 0 : patience.quickMs });
      asking.end(body);
      return answerTo(asking);
    },
    close: () => {
      for (const asking of open) asking.destroy();
    },
  };
}

/** Bounds each phase by silence. A slow answer is bounded only by the connection: a check may take as long as the person allowed. */
function watch(asking: ClientRequest, patience: Patience): void {
  let phaseMs = patience.connectMs;
  const enter = (durationMs: number): void => {
    phaseMs = durationMs;
    asking.setTimeout(durationMs);
  };
  asking.once('socket', (socket) => {
    socket.setKeepAlive(true, silenceMs);
    socket.once('connect', () => enter(patience.quickMs));
  });
  let answer: IncomingMessage | undefined;
  asking.once('response', (incoming) => {
    answer = incoming;
    enter(patience.bodyMs);
  });
  asking.on('timeout', () => {
    // What came already waits for a slow reader: it is not the server that is silent.
    if (answer !== undefined && answer.readableLength > 0) enter(phaseMs);
    else asking.destroy(new Error(`nothing came for ${phaseMs / 1000} s`));
  });
}

function answerTo(asking: ClientRequest): Promise<TransportAnswer> {
  return new Promise((resolve, reject) => {
    asking.once('error', reject);
    asking.once('response', (incoming: IncomingMessage) => {
      // What goes wrong from now on, whoever reads the body is told.
      asking.off('error', reject);
      asking.on('error', (error) => incoming.destroy(error));
      resolve({
        status: incoming.statusCode ?? 0,
        header: (name) => incoming.headers[name]?.toString(),
        body: incoming,
        cancel: () => incoming.destroy(),
      });
    });
  });
}
