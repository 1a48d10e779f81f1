// A home of its own for one service: what it stands on, its controller, and what can be seen of it from outside the controller.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';

import { takeDown } from '../../../src/compose.ts';
import { placesUnder } from '../../../src/places.ts';
import { parseConfig } from '../../../src/config/parse.ts';
import { resolveEnvironment } from '../../../src/config/resolve.ts';
import type { DeploySpec } from '../../../src/core/plan/spec.ts';
import type { Scope } from '../../../src/core/scope.ts';
import { removeTree } from '../../../src/drivers/releases/directory/tree-copy.ts';
import { openSqliteStore } from '../../../src/drivers/store/sqlite/driver.ts';
import { freePort } from '../../free-port.ts';
import { type Front, type FrontName, openFront } from '../../load/front.ts';
import { testProgram } from '../../package/program.ts';
import { type Housing, type HousingName, housings } from './housing.ts';
import type { Order, Report } from './orders.ts';

const program = testProgram('test/e2e/support/controller');

/** The platform and the router that a service stands on. */
export interface Ground {
  readonly platform: HousingName;
  readonly router: FrontName;
}

export class Place {
  readonly scope: Scope = { service: 'shop', environment: 'production' };
  readonly directory: string;
  readonly port: number;
  readonly store: ReturnType<typeof openSqliteStore>;
  readonly housing: Housing;
  readonly #front: Front;
  #controller: ChildProcess | undefined;
  #closed = false;

  private constructor(directory: string, port: number, front: Front, platform: HousingName) {
    this.directory = directory;
    this.port = port;
    this.#front = front;
    this.housing = housings[platform](directory, front.ports);
    this.store = openSqliteStore({ file: placesUnder(this.home).store });
  }

  static async open({ platform, router }: Ground): Promise<Place> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-s-'));
    const port = await freePort();
    const front = await openFront(router, { home: join(directory, 'home'), port });
    return new Place(directory, port, front, platform);
  }

  get home(): string {
    return join(this.directory, 'home');
  }

  /** How a release is deployed; `settings` go over the plain ones. */
  async spec(version: string, settings: object): Promise<DeploySpec> {
    const config = {
      service: this.scope.service,
      ...(await this.housing.settings(version)),
      health: { path: '/health', interval: '50ms', within: '50ms', timeout: '60s' },
      gates: { errorRate: { max: '20%', minSamples: 3 }, availability: 'off', p95: 'off' },
      watch: { for: '0s' },
      drain: '10s',
      stopGrace: '10s',
      keepReleases: 2,
      router: this.#front.settings,
      ...settings,
    };
    return resolveEnvironment(parseConfig(stringify(config), 'sluice.yaml'), 'production', this.directory);
  }

  /** Resolves when it runs; it takes up what the one before it left. */
  async startController(): Promise<void> {
    // A test that ran out of time may still be at work when everything is taken away.
    if (this.#closed) throw new Error('the place is closed');
    this.#controller = fork(program, [this.home], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    const report = await this.#heard(this.#controller);
    if (report !== 'killed' && report.kind === 'ready') return;
    throw new Error(`the controller did not start: ${JSON.stringify(report)}`);
  }

  /** Resolves with what became of the order, or of the controller. */
  async order(order: Order): Promise<'killed' | Exclude<Report, { kind: 'ready' }>> {
    const controller = this.#controller;
    if (controller === undefined) throw new Error('no controller runs');
    const heard = this.#heard(controller);
    controller.send(order);
    const report = await heard;
    if (report === 'killed' || report.kind !== 'ready') return report;
    throw new Error('the controller spoke out of turn');
  }

  async #heard(controller: ChildProcess): Promise<'killed' | Report> {
    const waiting = new AbortController();
    try {
      const { signal } = waiting;
      return await Promise.race([
        once(controller, 'message', { signal }).then(([report]) => report as Report),
        once(controller, 'exit', { signal }).then(([code, name]) => {
          if (name === 'SIGKILL') return 'killed' as const;
          throw new Error(`the controller ended by itself: ${String(code ?? name)}`);
        }),
      ]);
    } finally {
      waiting.abort();
    }
  }

  async stopController(): Promise<void> {
    const controller = this.#controller;
    this.#controller = undefined;
    if (controller === undefined || controller.exitCode !== null || controller.signalCode !== null) return;
    const gone = once(controller, 'exit');
    controller.kill('SIGKILL');
    await gone;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.stopController();
    this.store.close();
    await this.housing.close();
    await takeDown(this.home, this.scope);
    await this.#front.close();
    await removeTree(this.directory);
  }
}
