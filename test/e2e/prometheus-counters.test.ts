// The statistical gate on the counters of a real Prometheus, scraped each second: what it counts decides, and nothing passes while it is silent.

import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { placesUnder } from '../../src/places.ts';
import { TestPrometheus, withoutPrometheus } from '../metrics/prometheus.ts';
import { failureIn, type Ran, Sandbox } from './support/sandbox.ts';
import { ask, Visitor } from './support/visitors.ts';

/** Answers 200 to everything; `bad` versions count every fifth order as failed, `other` ones have buckets of their own. */
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
  if (request.url === '/crash') process.exit(1);
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

describe('counters of a real Prometheus decide', { skip: withoutPrometheus }, () => {
  let prometheus: TestPrometheus;
  let sandbox: Sandbox;
  let visitor: Visitor | undefined;

  async function put(version: string): Promise<void> {
    await sandbox.write('release/server.mjs', service);
    await sandbox.write('release/version', version);
  }

  async function configure(maxHold = '60s', counted: object = {}): Promise<void> {
    const counters = {
      source: 'main',
      metric: 'orders_total',
      errors: { result: 'failed' },
      histogram: 'took_seconds',
      interval: '1s',
      ...counted,
    };
    await sandbox.configure({
      env: { TARGETS: prometheus.targets },
      strategy: {
        canary: { stages: ['50%', '100%'], hold: { atLeast: '3s', requests: 5 }, maxHold, keepOld: '0s' },
      },
      metrics: { main: { prometheus: { url: prometheus.url, within: '1s' } } },
      gates: { compare: { preset: 'low-traffic', counters }, errorRate: 'off', availability: 'off', p95: 'off' },
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

  it('a healthy release is promoted on what both counted', async () => {
    await put('v2');
    const deployed = await sandbox.sluice('deploy');
    assert.equal(deployed.code, 0, said(deployed));
    const history = said(await sandbox.sluice('history', '--json'));
    assert.match(history, /pass: the candidate is no worse than stable/);
    assert.match(history, /main counts the requests of 1 instance of the candidate and 1 instance of stable/);
    assert.equal(await ask(sandbox.port), 'v2');
  });

  it('a release that answers everything and fails behind it goes back', async () => {
    await put('bad');
    const deployed = await sandbox.sluice('deploy');
    assert.equal(deployed.code, 1, said(deployed));
    assert.match(said(deployed), /the candidate fails more requests than stable/);
    assert.equal(await ask(sandbox.port), 'v2');
  });

  it('releases with different buckets hold the share, and a person reads why', async () => {
    await configure('8s');
    await put('other');
    const deployed = await sandbox.sluice('deploy');
    assert.equal(deployed.code, 3, said(deployed));
    assert.match(
      (await shown()).reason ?? '',
      /the histogram of the candidate has other buckets than stable’s \(200, 2000 against 100, 1000 ms\)/,
    );
    assert.equal((await sandbox.sluice('abort')).code, 0);
    while ((await shown()).status !== undefined) await sleep(200);
    assert.equal(await ask(sandbox.port), 'v2');
  });

  it('a server that dies holds the share, then a person is asked; back again it goes on from the same counts', async () => {
    await configure('10s');
    await put('v3');
    const deploying = sandbox.sluice('deploy');
    for (let status = ''; status !== 'CANARY_WAITING'; status = (await shown()).status ?? '') await sleep(100);
    await prometheus.stop();
    const deployed = await deploying;
    assert.equal(deployed.code, 3, said(deployed));
    const { status, share, reason = '' } = await shown();
    assert.deepEqual({ status, share }, { status: 'PAUSED', share: 5_000 });
    assert.match(reason, /unreachable: nothing listens on 127\.0\.0\.1:\d+ \(main\)/);
    await prometheus.startAgain();
    // A machine under load may need longer than the longest hold for enough requests; then a person lets it go on again.
    for (let now = await shown(); now.status !== undefined; now = await shown())
      if (now.status === 'PAUSED') await sandbox.sluice('resume');
      else await sleep(200);
    assert.equal(await ask(sandbox.port), 'v3');
  });

  it('a source that does not take the question refuses a deployment; `validate` says what is counted', async () => {
    const before = await sandbox.traces();
    await configure('60s', { labels: { release: '{{release}}', __name__: 'x' } });
    await put('v4');
    const wrong = await sandbox.sluice('deploy', '--json');
    assert.equal(wrong.code, 2, said(wrong));
    assert.match(failureIn(wrong).message, /counters: refused: status 400: .*metric name must not be set twice/);
    await configure();
    assert.match(
      said(await sandbox.sluice('validate')),
      /counters: \d+ requests, 0 of them failed, counted by instances: 1 at main \(prometheus at http/,
    );
    assert.deepEqual(await sandbox.traces(), before);
  });
});
