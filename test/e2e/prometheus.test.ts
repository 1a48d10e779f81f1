// A real Prometheus judges real releases: what the router cannot see takes a release back, and a server that dies promotes nothing.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { placesUnder } from '../../src/places.ts';
import { TestPrometheus, withoutPrometheus } from '../metrics/prometheus.ts';
import { failureIn, type Ran, Sandbox } from './support/sandbox.ts';
import { ask, Visitor } from './support/visitors.ts';

/** Answers 200 to everything; a bad version fails the orders behind it, which only its own metrics tell. */
const service = `
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
const version = readFileSync('version', 'utf8');
const { PORT, TARGETS, SLUICE_INSTANCE, SLUICE_RELEASE, SLUICE_ENVIRONMENT } = process.env;
const labels = { release: SLUICE_RELEASE, environment: SLUICE_ENVIRONMENT };
writeFileSync(TARGETS + '/' + SLUICE_INSTANCE + '.json', JSON.stringify([{ targets: ['127.0.0.1:' + PORT], labels }]));
let orders = 0;
let failed = 0;
createServer((request, response) => {
  if (request.url === '/metrics') {
    response.setHeader('content-type', 'text/plain; version=0.0.4');
    response.end('orders_total{result="done"} ' + (orders - failed) + '\\norders_total{result="failed"} ' + failed + '\\n');
    return;
  }
  if (request.url !== '/health') orders += 1;
  if (request.url !== '/health' && version.startsWith('bad') && orders % 5 === 0) failed += 1;
  response.end(version);
}).listen(Number(PORT), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
`;

interface Shown {
  readonly status?: string;
  readonly reason?: string;
  readonly share?: number;
}

describe('with a real Prometheus', { skip: withoutPrometheus }, () => {
  let prometheus: TestPrometheus;
  let sandbox: Sandbox;
  let visitor: Visitor | undefined;

  async function put(version: string): Promise<void> {
    await sandbox.write('release/server.mjs', service);
    await sandbox.write('release/version', version);
  }

  async function configure(
    hold = { atLeast: '4s', requests: 5 },
    maxHold = '60s',
    settings: object = {},
  ): Promise<void> {
    const template = { errorRate: { metric: 'orders_total', errors: { result: 'failed' } } };
    const query = { name: 'failed orders', source: 'main', template, minSamples: 10, max: 0.05, interval: '1s' };
    await sandbox.configure({
      env: { TARGETS: prometheus.targets },
      strategy: { canary: { stages: ['50%', '100%'], hold, maxHold, keepOld: '0s' } },
      metrics: { main: { prometheus: { url: prometheus.url, within: '1s' } } },
      gates: { compare: 'off', errorRate: 'off', availability: 'off', p95: 'off', queries: [query] },
      ...settings,
    });
  }

  async function shown(): Promise<Shown> {
    const { stdout } = await sandbox.sluice('status', '--json');
    const [scope] = (JSON.parse(stdout) as { readonly scopes: readonly { readonly active?: Shown }[] }).scopes;
    return scope?.active ?? {};
  }

  function said({ stdout, stderr }: Ran): string {
    return (stdout + stderr).replaceAll(/\s+/g, ' ');
  }

  before(async () => {
    prometheus = await TestPrometheus.start();
    sandbox = await Sandbox.open();
    sandbox.start('server', '--listen', '127.0.0.1:0');
    while (!existsSync(placesUnder(sandbox.home).socket)) await sleep(50);
    await configure();
    await put('v1');
    const first = await sandbox.sluice('deploy');
    assert.equal(first.code, 0, said(first));
    visitor = new Visitor(sandbox.port);
  });

  after(async () => {
    await visitor?.leave();
    await sandbox.close();
    await prometheus.close();
    assert.deepEqual(visitor?.failures, []);
  });

  it('a release that Prometheus finds good is promoted, with the numbers in its history', async () => {
    await put('v2');
    const deployed = await sandbox.sluice('deploy');
    assert.equal(deployed.code, 0, said(deployed));
    assert.match(said(await sandbox.sluice('history', '--json')), /failed orders is 0, allowed is at most 0.05/);
    assert.equal(await ask(sandbox.port), 'v2');
  });

  it('a release that answers everything and fails behind it goes back', async () => {
    await put('bad');
    const deployed = await sandbox.sluice('deploy');
    assert.equal(deployed.code, 1, said(deployed));
    assert.match(said(deployed), /failed orders is 0\.\d+, allowed is at most 0.05/);
    assert.equal(await ask(sandbox.port), 'v2');
  });

  it('a server that dies in the middle of a stage holds the share, then a person is asked; back again it lets go on', async () => {
    await configure({ atLeast: '15s', requests: 5 }, '15s');
    await put('v3');
    const deploying = sandbox.sluice('deploy');
    for (let status = ''; status !== 'CANARY_WAITING'; status = (await shown()).status ?? '') await sleep(100);
    await prometheus.stop();
    const deployed = await deploying;
    assert.equal(deployed.code, 3, said(deployed));
    const { status, share, reason = '' } = await shown();
    assert.deepEqual({ status, share }, { status: 'PAUSED', share: 5_000 });
    assert.match(reason, /failed orders has no number: unreachable: nothing listens on 127\.0\.0\.1:\d+ \(main\)/);
    await prometheus.startAgain();
    const resumed = await sandbox.sluice('resume');
    assert.equal(resumed.code, 0, said(resumed));
    while ((await shown()).status !== undefined) await sleep(500);
    assert.equal(await ask(sandbox.port), 'v3');
  });

  it('a deployment whose server is away, or takes no such query, does not begin; `validate` says why', async () => {
    const before = await sandbox.traces();
    const metrics = { main: { prometheus: { url: `${prometheus.url}/wrong`, within: '1s' } } };
    await configure(undefined, undefined, { metrics });
    await put('v4');
    const wrong = await sandbox.sluice('deploy', '--json');
    assert.equal(wrong.code, 2);
    assert.equal(failureIn(wrong).code, 'metrics.refused');
    assert.match(failureIn(wrong).message, /failed orders: refused: status 404, the URL leads to nothing there/);
    await configure();
    assert.match(said(await sandbox.sluice('validate')), /query failed orders: 0 at main \(prometheus at http/);
    await prometheus.stop();
    const away = await sandbox.sluice('deploy', '--json');
    assert.equal(away.code, 6);
    assert.equal(failureIn(away).code, 'metrics.unreachable');
    const validated = await sandbox.sluice('validate');
    assert.equal(validated.code, 1);
    assert.match(said(validated), /query failed orders: unreachable: nothing listens/);
    assert.deepEqual(await sandbox.traces(), before);
  });
});
