// Asks each endpoint in turn whether it is well, where the routes say how; two bad answers in a row take it out, one good brings it back.

import { request } from 'node:http';

import type { Routes } from '../../../../core/routes.ts';
import type { Endpoint } from './endpoint.ts';

type Health = NonNullable<Routes['health']>;

const failuresMax = 2;

export class HealthChecks {
  readonly #log: (message: string, fields: Readonly<Record<string, unknown>>) => void;
  #watched = new Map<Endpoint, { timer: NodeJS.Timeout; failures: number }>();
  #health: Health | undefined;

  constructor(log: (message: string, fields: Readonly<Record<string, unknown>>) => void) {
    this.#log = log;
  }

  /** Checks exactly these endpoints from now on; what is known of those that stay is kept. */
  watch(endpoints: Iterable<Endpoint>, health: Health | undefined): void {
    const before = this.#watched;
    const same = JSON.stringify(health) === JSON.stringify(this.#health);
    this.#health = health;
    this.#watched = new Map();
    for (const endpoint of endpoints) {
      const known = before.get(endpoint);
      if (health === undefined) endpoint.alive = true;
      else if (known !== undefined && same) {
        this.#watched.set(endpoint, known);
        before.delete(endpoint);
      } else this.#start(endpoint, health, known?.failures ?? 0);
    }
    for (const { timer } of before.values()) clearInterval(timer);
  }

  stop(): void {
    this.watch([], undefined);
  }

  #start(endpoint: Endpoint, health: Health, failures: number): void {
    const timer = setInterval(() => void this.#check(endpoint, health), health.intervalMs);
    this.#watched.set(endpoint, { timer, failures });
  }

  async #check(endpoint: Endpoint, health: Health): Promise<void> {
    const well = await answersWell(endpoint, health);
    const state = this.#watched.get(endpoint);
    if (state === undefined) return;
    state.failures = well ? 0 : state.failures + 1;
    const alive = state.failures < failuresMax;
    if (alive === endpoint.alive) return;
    endpoint.alive = alive;
    this.#log(alive ? 'instance is healthy again' : 'instance is unhealthy', { instance: endpoint.instance });
  }
}

/** Whether the endpoint answers 2xx in time; never rejects. */
function answersWell(endpoint: Endpoint, health: Health): Promise<boolean> {
  return new Promise((resolve) => {
    const { host, port } = endpoint.address;
    const signal = AbortSignal.timeout(health.timeoutMs);
    const asked = request({ host, port, path: health.path, agent: false, signal }, (answer) => {
      const status = answer.statusCode ?? 0;
      answer.resume();
      asked.destroy();
      resolve(status >= 200 && status < 300);
    });
    asked.on('error', () => resolve(false));
    asked.end();
  });
}
