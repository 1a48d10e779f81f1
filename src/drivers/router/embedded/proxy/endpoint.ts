// One instance as the proxy knows it: idle connections to it, what is in flight on it, and whether it looks healthy.

import type { Address } from '../../../../core/instance.ts';
import type { UpstreamConnection } from './upstream-connection.ts';

/** Something in flight that can be cut. */
export interface Flight {
  cut(): void;
}

const idleConnectionsMax = 512;
/** Connect failures in a row after which an endpoint is left out for a while, which doubles up to the longest. */
const failuresMax = 2;
const outMsFirst = 1_000;
const outMsLongest = 10_000;

export class Endpoint {
  readonly instance: string;
  readonly address: Address;
  readonly flights = new Set<Flight>();
  /** No longer in the routes: it gets no new requests, and its connections are closed as they become idle. */
  retired = false;
  /** By the active check; true where there is none. */
  alive = true;
  readonly #idle: UpstreamConnection[] = [];
  #failures = 0;
  #outUntil = 0;

  constructor(instance: string, address: Address) {
    this.instance = instance;
    this.address = address;
  }

  usable(now: number): boolean {
    return this.alive && now >= this.#outUntil;
  }

  connected(): void {
    this.#failures = 0;
    this.#outUntil = 0;
  }

  connectFailed(now: number): void {
    this.#failures += 1;
    const over = this.#failures - failuresMax;
    if (over >= 0) this.#outUntil = now + Math.min(outMsLongest, outMsFirst * 2 ** Math.min(over, 10));
  }

  /** The idle connection that was used last and has been idle for at most `idleMsMax`; undefined when a new one is needed. */
  take(now: number, idleMsMax: number): UpstreamConnection | undefined {
    const connection = this.#idle.at(-1);
    if (connection === undefined || now - connection.idleSince > Math.min(idleMsMax, connection.idleMsMax))
      return undefined;
    this.#idle.pop();
    return connection;
  }

  /** Keeps a connection for the next request, or closes it. */
  put(connection: UpstreamConnection, now: number): void {
    if (this.retired || this.#idle.length >= idleConnectionsMax) return connection.close();
    connection.idleSince = now;
    this.#idle.push(connection);
  }

  forget(connection: UpstreamConnection): void {
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }

  /** Closes connections before the instance would: whoever closes first decides which request is lost. */
  closeIdle(now: number): void {
    for (const connection of this.#idle.filter((idle) => now - idle.idleSince > idle.idleMsMax)) connection.close();
  }

  retire(): void {
    this.retired = true;
    for (const connection of this.#idle.splice(0)) connection.close();
  }
}
