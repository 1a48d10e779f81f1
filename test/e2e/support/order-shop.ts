// A shop that answers 200 to everything, and whose orders only a real Prometheus sees fail: with a server of Sluice's, v1 as stable, and a visitor.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { placesUnder } from '../../../src/places.ts';
import { TestPrometheus } from '../../metrics/prometheus.ts';
import { type Ran, Sandbox } from './sandbox.ts';
import { Visitor } from './visitors.ts';

/** `bad` versions count every fifth order as failed, `other` ones have buckets of their own. */
const service = `
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const version = readFileSync('version', 'utf8');
const { PORT, TARGETS, SLUICE_INSTANCE, SLUICE_RELEASE, SLUICE_ENVIRONMENT } = process.env;
const labels = { release: SLUICE_RELEASE, environment: SLUICE_ENVIRONMENT };
writeFileSync(TARGETS + '/' + SLUICE_INSTANCE + '.json', JSON.stringify([{ targets: ['127.0.0.1:' + PORT], labels }]));
const bounds = version.startsWith('other') ? [0.2, 2] : [0.1, 1];
let orders = 0;
let failed = 0;
createServer((request, response) => {
  if (request.url === '/metrics') {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    const buckets = [...bounds, '+Inf'].map((le) => 'took_seconds_bucket{le="' + le + '"} ' + orders);
    const counters = ['orders_total{result="done"} ' + (orders - failed), 'orders_total{result="failed"} ' + failed];
    response.end([...counters, ...buckets, ''].join('\\n'));
    return;
  }
  if (request.url !== '/health') orders += 1;
  if (request.url !== '/health' && version.startsWith('bad') && orders % 5 === 0) failed += 1;
  response.end(version);
}).listen(Number(PORT), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
`;

/** A deployment under way, as `sluice status` shows it. */
interface Shown {
  readonly status?: string;
  readonly reason?: string;
  /** Basis points. */
  readonly share?: number;
}

export class OrderShop {
  readonly prometheus: TestPrometheus;
  readonly sandbox: Sandbox;
  #visitor: Visitor | undefined;

  private constructor(prometheus: TestPrometheus, sandbox: Sandbox) {
    this.prometheus = prometheus;
    this.sandbox = sandbox;
  }

  /** `configure` is called before the first deployment. */
  static async open(configure: (shop: OrderShop) => Promise<void>): Promise<OrderShop> {
    const shop = new OrderShop(await TestPrometheus.start(), await Sandbox.open());
    try {
      await shop.#begin(configure);
    } catch (error) {
      await shop.close();
      throw error;
    }
    return shop;
  }

  async #begin(configure: (shop: OrderShop) => Promise<void>): Promise<void> {
    this.sandbox.start('server', '--listen', '127.0.0.1:0');
    while (!existsSync(placesUnder(this.sandbox.home).socket)) await sleep(50);
    await configure(this);
    await this.put('v1');
    const first = await this.sandbox.sluice('deploy');
    assert.equal(first.code, 0, said(first));
    this.#visitor = new Visitor(this.sandbox.port);
  }

  /** Settings that every configuration of the shop has; `canary` is what is said of its holds. */
  settings(canary: object): object {
    return {
      env: { TARGETS: this.prometheus.targets },
      strategy: { canary: { stages: ['50%', '100%'], keepOld: '0s', ...canary } },
      metrics: { main: { prometheus: { url: this.prometheus.url, within: '1s' } } },
    };
  }

  async put(version: string): Promise<void> {
    await this.sandbox.write('release/server.mjs', service);
    await this.sandbox.write('release/version', version);
  }

  async shown(): Promise<Shown> {
    const { stdout } = await this.sandbox.sluice('status', '--json');
    const [scope] = (JSON.parse(stdout) as { readonly scopes: readonly { readonly active?: Shown }[] }).scopes;
    return scope?.active ?? {};
  }

  /** Deploys, stops the Prometheus in the first stage, and returns what the pause says that must come of it. */
  async loseSourceInStage(): Promise<string> {
    const deploying = this.sandbox.sluice('deploy');
    for (let status = ''; status !== 'CANARY_WAITING'; status = (await this.shown()).status ?? '') await sleep(100);
    await this.prometheus.stop();
    const deployed = await deploying;
    assert.equal(deployed.code, 3, said(deployed));
    const { status, share, reason = '' } = await this.shown();
    assert.deepEqual({ status, share }, { status: 'PAUSED', share: 5_000 });
    return reason;
  }

  /** With the source back a person lets it go on, again where a machine under load had too few requests in the longest hold. */
  async goOnToTheEnd(): Promise<void> {
    await this.prometheus.startAgain();
    for (let now = await this.shown(); now.status !== undefined; now = await this.shown()) {
      if (now.status !== 'PAUSED') await sleep(200);
      else assert.equal((await this.sandbox.sluice('resume')).code, 0);
    }
  }

  /** No request of the visitor failed. */
  async close(): Promise<void> {
    await this.#visitor?.leave();
    await this.sandbox.close();
    await this.prometheus.close();
    assert.deepEqual(this.#visitor?.failures ?? [], []);
  }
}

/** Everything that a command wrote, whatever its line breaks. */
export function said({ stdout, stderr }: Ran): string {
  return (stdout + stderr).replaceAll(/\s+/g, ' ');
}
