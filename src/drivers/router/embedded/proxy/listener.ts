// One address that clients connect to, with or without TLS, which may change without closing it.

import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';

import type { Address } from '../../../../core/instance.ts';
import { sameAddress } from '../../../../core/same-address.ts';
import type { Pem } from './certificate.ts';
import { listenFailure } from './listen-failure.ts';

/**
 * Begins to listen with the fresh ones, all of them or none; the former ones still listen then, but for those that stood in the
 * way of a fresh one. Rejects as `listen` does.
 */
export async function listenInPlaceOf(former: readonly Listener[], fresh: readonly Listener[]): Promise<void> {
  const inTheWay = former.filter((one) => fresh.some(({ address }) => sameAddress(one.address, address)));
  const listening: Listener[] = [];
  await closeAll(inTheWay);
  try {
    for (const listener of fresh) {
      await listener.listen();
      listening.push(listener);
    }
  } catch (error) {
    await closeAll(listening);
    for (const listener of inTheWay) await listener.listen();
    throw error;
  }
}

async function closeAll(listeners: readonly Listener[]): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close()));
}

type Accept = (socket: Socket, proto: 'http' | 'https') => void;

const handshakeMs = 10_000;
const keepAliveDelayMs = 30_000;

export class Listener {
  readonly address: Address;
  readonly #server: Server;
  #tls: TlsServer | undefined;
  readonly #accept: Accept;

  /** Beyond `connectionsMax`, handshakes included, a connection is closed as soon as it comes. */
  constructor(address: Address, connectionsMax: number, accept: Accept) {
    this.address = address;
    this.#accept = accept;
    // Half-open, so that an answer is finished before the connection is; keep-alive, so that dead clients are noticed.
    const options = { allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveDelayMs };
    this.#server = createServer(options, (socket) => {
      if (this.#tls === undefined) this.#accept(socket, 'http');
      else this.#tls.emit('connection', socket);
    });
    this.#server.maxConnections = connectionsMax;
  }

  /** The certificate for new connections; those that stand keep theirs. Undefined: no TLS. */
  setCertificate(pem: Pem | undefined): void {
    if (pem === undefined) this.#tls = undefined;
    else if (this.#tls === undefined) this.#tls = this.#tlsServer(pem);
    else this.#tls.setSecureContext(pem);
  }

  /** Rejects with `port.taken`, or `router.refused` where the system does not let us. */
  listen(): Promise<void> {
    const { host, port } = this.address;
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(listenFailure(this.address, error)));
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.removeAllListeners('error');
        // Too many open files, say: the connection is lost, the listener is not.
        this.#server.on('error', () => undefined);
        resolve();
      });
    });
  }

  /** Accepts no more connections; resolves when the address is free. It may listen again. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close();
      // `close` waits for connections to end; the address is free already.
      setImmediate(resolve);
    });
  }

  #tlsServer(pem: Pem): TlsServer {
    const server = createTlsServer(
      {
        ...pem,
        minVersion: 'TLSv1.2',
        ALPNProtocols: ['http/1.1'],
        handshakeTimeout: handshakeMs,
        allowHalfOpen: true,
      },
      (socket) => this.#accept(socket, 'https'),
    );
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    return server;
  }
}
