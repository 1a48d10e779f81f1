// One service under traffic of its own, whose releases are deployed one after the other.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';

import { parseConfig } from '../../../src/config/parse.ts';
import { resolveEnvironment } from '../../../src/config/resolve.ts';
import type { DeploySpec } from '../../../src/core/plan/spec.ts';
import type { Rollout } from '../../../src/core/rollout/rollout.ts';
import type { Scope } from '../../../src/core/scope.ts';
import { freePort } from '../../free-port.ts';
import type { Site } from '../../load/site.ts';
import type { Behaviour } from './behaviour.ts';
import { Load, type Seen } from './load.ts';

const servicePath = fileURLToPath(new URL('service.ts', import.meta.url));

/** What became of one release, and what its users saw of it. */
export interface Trial {
  readonly rollout: Rollout;
  readonly seen: Seen;
}

/** Settings of `gates.compare`, as in a configuration. */
export type Compare = string | Readonly<Record<string, unknown>>;

export class Lane {
  readonly #site: Site;
  readonly #service: string;
  readonly #port: number;
  readonly #load: Load;
  #releases = 0;

  private constructor(site: Site, service: string, port: number, perSecond: number) {
    this.#site = site;
    this.#service = service;
    this.#port = port;
    this.#load = new Load(port, perSecond);
  }

  /** A lane whose first release is up and has traffic. */
  static async open(site: Site, service: string, perSecond: number): Promise<Lane> {
    const lane = new Lane(site, service, await freePort(), perSecond);
    await lane.deploy({ errors: 0.001, slower: 1 }, 'default', '1s');
    lane.#load.start();
    return lane;
  }

  /** Requests that no release answered. */
  get broken(): number {
    return this.#load.broken;
  }

  get scope(): Scope {
    return { service: this.#service, environment: 'production' };
  }

  /** `hold` is the least time at 10 %, as in a configuration. */
  async deploy(behaviour: Omit<Behaviour, 'name'>, compare: Compare, hold: string): Promise<Trial> {
    const rollout = await this.#site.ended(await this.begin(behaviour, compare, hold));
    return { rollout, seen: this.seen(rollout) };
  }

  async begin(behaviour: Omit<Behaviour, 'name'>, compare: Compare, hold: string): Promise<Rollout> {
    this.#releases += 1;
    const name = `${this.#service}-${this.#releases}`;
    const spec = await this.#spec({ ...behaviour, name }, compare, hold);
    return this.#site.client.deploy({ spec, label: name, actor: 'load@test' });
  }

  /** What the users saw of a deployment's release so far. */
  seen(rollout: Rollout): Seen {
    return this.#load.seen(rollout.plan.candidate.label ?? '');
  }

  async #spec(behaviour: Behaviour, compare: Compare, hold: string): Promise<DeploySpec> {
    const directory = join(this.#site.directory, 'releases', behaviour.name);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'behaviour.json'), JSON.stringify(behaviour));
    const text = stringify({
      service: this.#service,
      release: { directory, command: [process.execPath, '--disable-warning=ExperimentalWarning', servicePath] },
      health: { path: '/health', interval: '250ms', timeout: '60s' },
      strategy: {
        canary: {
          stages: [{ share: '10%', hold: { atLeast: hold } }, '100%'],
          hold: { atLeast: '1s' },
          maxHold: '10m',
          keepOld: '1m',
        },
      },
      gates: { compare },
      watch: { for: '0s' },
      drain: '5s',
      stopGrace: '5s',
      router: { embedded: { listen: `127.0.0.1:${this.#port}` } },
    });
    return resolveEnvironment(parseConfig(text, 'sluice.yaml'), 'production', this.#site.directory);
  }

  async close(): Promise<void> {
    await this.#load.stop();
  }
}
