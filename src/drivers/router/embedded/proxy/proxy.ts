// The proxy itself: addresses, connections, routes in force, health, drains and the feed, in one process and without a control socket.

import type { Socket } from 'node:net';

import type { Address } from '../../../../core/instance.ts';
import type { EmbeddedRouterSpec } from '../../../../core/plan/spec.ts';
import type { Routes } from '../../../../core/routes.ts';
import type { ReleaseToken } from '../../../../core/routing/route-chooser.ts';
import { clientFacts, localName } from '../http/forward.ts';
import { certificateState, type Pem, readCertificate } from './certificate.ts';
import { ClientConnection } from './client-connection.ts';
import { connectionLimits } from './connection-limit.ts';
import { preciseNow, type ProxyContext } from './context.ts';
import { HealthChecks } from './health-checks.ts';
import { Listener, listenInPlaceOf } from './listener.ts';
import { SampleFeed } from './sample-feed.ts';
import { Traffic } from './traffic.ts';

export type ProxyLog = (message: string, fields: Readonly<Record<string, unknown>>) => void;

const sweepMs = 100;
const certificateEveryMs = 1_000;

export class Proxy implements ProxyContext {
  readonly feed = new SampleFeed();
  readonly traffic: Traffic;
  closing = false;
  now = preciseNow();
  date = new Date().toUTCString();
  #settings: EmbeddedRouterSpec;
  readonly #log: ProxyLog;
  readonly #health: HealthChecks;
  readonly #connections = new Set<ClientConnection>();
  readonly #connectionLimits = connectionLimits();
  readonly #drains = new Set<() => void>();
  #listeners: { traffic?: Listener; preview?: Listener } = {};
  #sweeper: NodeJS.Timeout | undefined;
  #certificate: { state: string | undefined; lookedAt: number; failed: boolean } | undefined;

  constructor(settings: EmbeddedRouterSpec, token: ReleaseToken, log: ProxyLog) {
    this.#settings = settings;
    this.#log = log;
    this.traffic = new Traffic(token);
    this.#health = new HealthChecks(log);
  }

  get limits(): EmbeddedRouterSpec['limits'] {
    return this.#settings.limits;
  }

  get trustForwarded(): boolean {
    return this.#settings.trustForwarded;
  }

  get settings(): EmbeddedRouterSpec {
    return this.#settings;
  }

  /** Begins to listen; rejects with `port.taken`, `router.refused` or `router.certificate`, and listens nowhere then. */
  async start(): Promise<void> {
    await this.configure(this.#settings);
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs);
  }

  /** Changes addresses, certificate and limits; all of it or nothing. Connections that stand go on. */
  async configure(settings: EmbeddedRouterSpec): Promise<void> {
    const pem = settings.tls === undefined ? undefined : await readCertificate(settings.tls);
    const { traffic: formerTraffic, preview: formerPreview } = this.#listeners;
    const traffic = this.#listener(formerTraffic, settings.listen, false);
    const preview = settings.preview && this.#listener(formerPreview, settings.preview, true);
    const before = [formerTraffic, formerPreview].filter((listener) => listener !== undefined);
    const after = [traffic, preview].filter((listener) => listener !== undefined);
    const over = before.filter((listener) => !after.includes(listener));
    const fresh = after.filter((listener) => !before.includes(listener));
    // Before clients come, which are there already where an address stays the same in part.
    for (const listener of fresh) listener.setCertificate(pem);
    await listenInPlaceOf(over, fresh);
    this.#listeners = preview === undefined ? { traffic } : { traffic, preview };
    for (const listener of after) if (!fresh.includes(listener)) listener.setCertificate(pem);
    await Promise.all(over.map((listener) => listener.close()));
    this.#settings = settings;
    await this.#noteCertificate();
  }

  /** Looks at the certificate's files now, instead of when their turn comes. */
  refreshCertificate(): void {
    if (this.#certificate !== undefined) void this.#reloadCertificate();
  }

  /** Makes these the routes, at once. */
  put(routes: Routes): void {
    this.traffic.put(routes, this.#settings.tls !== undefined);
    this.#health.watch(this.traffic.endpoints, routes.health);
  }

  /** Requests and tunnels left on these instances: when it is 0, or after `withinMs`, when they are cut. Rejects when `signal` aborts. */
  async drain(instances: ReadonlySet<string>, withinMs: number, signal: AbortSignal): Promise<number> {
    if (this.traffic.inFlight(instances) > 0 && withinMs > 0) {
      await new Promise<void>((resolve) => {
        const over = (): void => {
          this.#drains.delete(look);
          clearTimeout(timer);
          signal.removeEventListener('abort', over);
          resolve();
        };
        const look = (): void => {
          if (this.traffic.inFlight(instances) === 0) over();
        };
        const timer = setTimeout(over, withinMs);
        signal.addEventListener('abort', over);
        this.#drains.add(look);
      });
    }
    signal.throwIfAborted();
    const left = this.traffic.inFlight(instances);
    if (left > 0) this.traffic.cut(instances);
    return left;
  }

  flightEnded(): void {
    if (this.#drains.size > 0) for (const look of this.#drains) look();
  }

  /** Accepts nothing more, lets requests end within `graceMs`, then closes what is left. */
  async close(graceMs: number): Promise<void> {
    this.closing = true;
    const { traffic, preview } = this.#listeners;
    this.#listeners = {};
    await Promise.all([traffic?.close(), preview?.close()]);
    const until = preciseNow() + graceMs;
    for (const connection of this.#connections) connection.closeWhenIdle();
    while (this.#connections.size > 0 && preciseNow() < until) {
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    clearInterval(this.#sweeper);
    this.#health.stop();
    for (const connection of this.#connections) connection.destroy();
    this.traffic.close();
    this.feed.flush();
  }

  /** The current one where it has the address; otherwise one that has yet to listen. */
  #listener(current: Listener | undefined, address: Address, preview: boolean): Listener {
    if (current !== undefined && current.address.host === address.host && current.address.port === address.port)
      return current;
    const connectionsMax = preview ? this.#connectionLimits.preview : this.#connectionLimits.traffic;
    return new Listener(address, connectionsMax, (socket, proto) => this.#accept(socket, proto, preview));
  }

  #accept(socket: Socket, proto: 'http' | 'https', preview: boolean): void {
    const facts = clientFacts(socket.remoteAddress, proto, localName(socket.localAddress, socket.localPort));
    const connection = new ClientConnection(socket, facts, preview, this);
    this.#connections.add(connection);
    socket.on('close', () => this.#connections.delete(connection));
  }

  #sweep(): void {
    this.now = preciseNow();
    const date = new Date().toUTCString();
    if (date !== this.date) this.date = date;
    for (const connection of this.#connections) connection.sweep(this.now);
    this.traffic.sweep(this.now);
    const due = this.#certificate !== undefined && this.now - this.#certificate.lookedAt > certificateEveryMs;
    if (due) void this.#reloadCertificate();
  }

  async #noteCertificate(): Promise<void> {
    const { tls } = this.#settings;
    this.#certificate =
      tls === undefined ? undefined : { state: await certificateState(tls), lookedAt: preciseNow(), failed: false };
  }

  /** Takes new files; bad ones, or a pair that is only half written, leave the certificate as it is and are tried again. */
  async #reloadCertificate(): Promise<void> {
    const { tls } = this.#settings;
    const known = this.#certificate;
    if (tls === undefined || known === undefined) return;
    known.lookedAt = this.now;
    const state = await certificateState(tls);
    if (state === undefined || state === known.state) return;
    const pem = await readCertificate(tls).catch((error: unknown) => {
      if (!known.failed) this.#log('new certificate is refused', { reason: String(error) });
      known.failed = true;
      return undefined;
    });
    if (pem === undefined || this.#certificate !== known) return;
    this.#setCertificate(pem);
    known.state = state;
    known.failed = false;
    this.#log('certificate was read again', { certificate: tls.certificate });
  }

  #setCertificate(pem: Pem): void {
    this.#listeners.traffic?.setCertificate(pem);
    this.#listeners.preview?.setCertificate(pem);
  }
}
