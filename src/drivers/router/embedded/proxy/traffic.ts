// The routes in force with everything that lives with them: endpoints over changes of routes, whose turn it is, what is in flight.

import { addressName } from '../../../../core/instance.ts';
import type { Sample } from '../../../../core/gate/sample.ts';
import type { Endpoint as RouteEndpoint, RouteGroup, Routes } from '../../../../core/routes.ts';
import {
  type Choice,
  type ReleaseToken,
  type RequestFacts,
  RouteChooser,
} from '../../../../core/routing/route-chooser.ts';
import { Endpoint } from './endpoint.ts';

/** Where a request goes: a release, and its endpoints. */
export interface Target {
  readonly group: EndpointGroup;
  readonly via: Sample['via'];
  /** `Set-Cookie` line with CRLF that keeps the visitor, or nothing. */
  readonly addedLines: string;
}

/** The endpoints of one release. */
export class EndpointGroup {
  readonly release: string;
  readonly endpoints: readonly Endpoint[];
  #turn: number;

  constructor(release: string, endpoints: readonly Endpoint[], turn: number) {
    this.release = release;
    this.endpoints = endpoints;
    this.#turn = turn;
  }

  get turn(): number {
    return this.#turn;
  }

  /**
   * The next endpoint in turn that looks healthy and was not tried. When all look bad the turn counts alone: an answer from a
   * sick instance says more than none. Undefined when all were tried.
   */
  next(now: number, tried: readonly Endpoint[]): Endpoint | undefined {
    const { endpoints } = this;
    let fallback: Endpoint | undefined;
    for (let step = 0; step < endpoints.length; step++) {
      const endpoint = endpoints[(this.#turn + step) % endpoints.length];
      if (endpoint === undefined || tried.includes(endpoint)) continue;
      if (endpoint.usable(now)) {
        this.#turn = (this.#turn + step + 1) % endpoints.length;
        return endpoint;
      }
      fallback ??= endpoint;
    }
    if (fallback !== undefined) this.#turn = (this.#turn + 1) % endpoints.length;
    return fallback;
  }
}

export class Traffic {
  readonly #token: ReleaseToken;
  #chooser: RouteChooser | undefined;
  #groups: ReadonlyMap<RouteGroup, EndpointGroup> = new Map();
  #endpoints = new Map<string, Endpoint>();
  /** Out of the routes, but with requests in flight. */
  readonly #retired = new Set<Endpoint>();
  readonly #targets = new Map<Choice, Target>();
  #cookieEnd = '';

  constructor(token: ReleaseToken) {
    this.#token = token;
  }

  get routes(): Routes | undefined {
    return this.#chooser?.routes;
  }

  get endpoints(): Iterable<Endpoint> {
    return this.#endpoints.values();
  }

  /** Makes these the routes for every request from now on. `secure`: the traffic port speaks TLS, and so cookies are for TLS only. */
  put(routes: Routes, secure: boolean): void {
    const before = this.#endpoints;
    const turns = new Map([...this.#groups.values()].map((group) => [group.release, group.turn]));
    this.#endpoints = new Map();
    this.#chooser = new RouteChooser(routes, this.#token, this.#chooser);
    this.#groups = new Map(
      routes.groups.map((group) => {
        const endpoints = group.endpoints.map((endpoint) => this.#endpoint(endpoint, before));
        return [
          group,
          new EndpointGroup(group.release, endpoints, (turns.get(group.release) ?? 0) % Math.max(1, endpoints.length)),
        ];
      }),
    );
    this.#targets.clear();
    const seconds = Math.round((routes.sticky?.maxAgeMs ?? 0) / 1000);
    this.#cookieEnd = `; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}\r\n`;
    for (const [key, endpoint] of before) if (this.#endpoints.get(key) !== endpoint) this.#retire(endpoint);
  }

  /** Where a request goes; undefined when no instance may have it. */
  choose(facts: RequestFacts, preview: boolean): Target | undefined {
    const choice = preview ? this.#chooser?.choosePreview() : this.#chooser?.choose(facts);
    if (choice === undefined) return undefined;
    return this.#targets.get(choice) ?? this.#target(choice);
  }

  /** Requests and upgraded connections in flight on these instances. */
  inFlight(instances: ReadonlySet<string>): number {
    let count = 0;
    for (const endpoint of this.#all(instances)) count += endpoint.flights.size;
    return count;
  }

  cut(instances: ReadonlySet<string>): void {
    // A copy, because a client whose request is cut may send its next one at once.
    const flights = Array.from(this.#all(instances), (endpoint) => Array.from(endpoint.flights)).flat();
    for (const flight of flights) flight.cut();
  }

  /** Work that comes round: closes connections that were idle too long, forgets endpoints without flights. */
  sweep(now: number): void {
    for (const endpoint of this.#endpoints.values()) endpoint.closeIdle(now);
    for (const endpoint of this.#retired) if (endpoint.flights.size === 0) this.#retired.delete(endpoint);
  }

  close(): void {
    for (const endpoint of [...this.#endpoints.values(), ...this.#retired]) endpoint.retire();
  }

  #target(choice: Choice): Target | undefined {
    const group = this.#groups.get(choice.group);
    if (group === undefined) return undefined;
    const cookie = this.routes?.sticky?.cookie;
    const addedLines =
      choice.keep === undefined || cookie === undefined ? '' : `Set-Cookie: ${cookie}=${choice.keep}${this.#cookieEnd}`;
    const target = { group, via: choice.via, addedLines };
    // Choices by share and cookie are the same objects each time; those by rule are made anew.
    if (choice.via === 'share' || choice.via === 'sticky') this.#targets.set(choice, target);
    return target;
  }

  /** The endpoint of this instance at this address, the former one where it was there before. */
  #endpoint(wanted: RouteEndpoint, before: ReadonlyMap<string, Endpoint>): Endpoint {
    const key = `${wanted.instance} ${addressName(wanted.address)}`;
    const endpoint = this.#endpoints.get(key) ?? before.get(key) ?? new Endpoint(wanted.instance, wanted.address);
    this.#endpoints.set(key, endpoint);
    return endpoint;
  }

  #retire(endpoint: Endpoint): void {
    endpoint.retire();
    if (endpoint.flights.size > 0) this.#retired.add(endpoint);
  }

  *#all(instances: ReadonlySet<string>): Iterable<Endpoint> {
    for (const endpoint of this.#endpoints.values()) if (instances.has(endpoint.instance)) yield endpoint;
    for (const endpoint of this.#retired) if (instances.has(endpoint.instance)) yield endpoint;
  }
}
