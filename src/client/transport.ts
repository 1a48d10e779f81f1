// How requests reach a server: within the process, over its unix socket, or over TCP.

import type * as undiciModule from 'undici';
import { silenceMs } from '../api/protocol.ts';

/** Where the server is; `fetch` is an app in this process. */
export type ServerAddress =
  | { readonly fetch: (request: Request) => Promise<Response> }
  | { readonly socket: string }
  /** `http://host:port` or `https://…`; a path of it is put before each route's. */
  | { readonly url: string };

export interface TransportRequest {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The answer may take minutes to begin. */
  readonly slow: boolean;
}

export interface Transport {
  /** The server as people name it. */
  readonly name: string;
  send(request: TransportRequest): Promise<Response>;
  /** Ends idle connections. */
  close(): Promise<void>;
}

const connectMs = 5000;

/** How long the answer to a question that costs nothing may take to begin. */
const quickMs = 30_000;

export function transportTo(address: ServerAddress): Transport {
  if ('fetch' in address) return inProcess(address.fetch);
  if ('socket' in address) return overNetwork(address.socket, 'http://localhost', address.socket);
  return overNetwork(address.url, address.url.replace(/\/+$/, ''), undefined);
}

function inProcess(fetch: (request: Request) => Promise<Response>): Transport {
  return {
    name: 'this process',
    send: ({ method, path, headers, body, signal }) =>
      fetch(new Request(`http://localhost${path}`, { method, headers, body: body ?? null, signal: signal ?? null })),
    close: async () => {},
  };
}

type Undici = typeof undiciModule;

function overNetwork(name: string, base: string, socketPath: string | undefined): Transport {
  const dispatchers = new Map<boolean, undiciModule.Dispatcher>();
  const dispatcherFor = (undici: Undici, slow: boolean): undiciModule.Dispatcher => {
    const kept = dispatchers.get(slow);
    if (kept !== undefined) return kept;
    const made = new undici.Agent({
      connect: { timeout: connectMs, ...(socketPath === undefined ? {} : { socketPath }) },
      // Only the kernel's own signs of life bound a slow answer: a check may take as long as the person allowed.
      headersTimeout: slow ? 0 : quickMs,
      bodyTimeout: silenceMs,
    });
    dispatchers.set(slow, made);
    return made;
  };
  return {
    name,
    send: async ({ method, path, headers, body, signal, slow }) => {
      // Loaded when it is needed: a command that stays in this process starts faster without it.
      const undici = await import('undici');
      const dispatcher = dispatcherFor(undici, slow);
      return undici.fetch(`${base}${path}`, {
        method,
        headers,
        body: body ?? null,
        signal: signal ?? null,
        redirect: 'error',
        dispatcher,
      });
    },
    close: async () => {
      await Promise.all([...dispatchers.values()].map((each) => each.destroy()));
      dispatchers.clear();
    },
  };
}
