// The statistical gate on the counters of a real Prometheus, scraped each second: what it counts decides, and nothing passes while it is silent.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { withoutPrometheus } from '../metrics/prometheus.ts';
import { OrderShop, said } from './support/order-shop.ts';
import { failureIn } from './support/sandbox.ts';
import { ask } from './support/visitors.ts';

async function configure(shop: OrderShop, maxHold = '60s', counted: object = {}): Promise<void> {
  const counters = {
    source: 'main',
    metric: 'orders_total',
    errors: { result: 'failed' },
    histogram: 'took_seconds',
    interval: '1s',
    ...counted,
  };
  await shop.sandbox.configure({
    ...shop.settings({ hold: { atLeast: '3s', requests: 5 }, maxHold }),
    gates: { compare: { preset: 'low-traffic', counters }, errorRate: 'off', availability: 'off', p95: 'off' },
  });
}

describe('counters of a real Prometheus decide', { skip: withoutPrometheus }, () => {
  let shop: OrderShop;
  before(async () => {
    shop = await OrderShop.open(configure);
  });
  after(() => shop.close());

  it('a healthy release is promoted on what both counted', async () => {
    const { sandbox } = shop;
    await shop.put('v2');
    const deployed = await sandbox.sluice('deploy');
    assert.equal(deployed.code, 0, said(deployed));
    const history = said(await sandbox.sluice('history', '--json'));
    assert.match(history, /pass: the candidate is no worse than stable/);
    assert.match(history, /main counts the requests of 1 instance of the candidate and 1 instance of stable/);
    assert.equal(await ask(sandbox.port), 'v2');
  });

  it('a release that answers everything and fails behind it goes back', async () => {
    const { sandbox } = shop;
    await shop.put('bad');
    const deployed = await sandbox.sluice('deploy');
    assert.equal(deployed.code, 1, said(deployed));
    assert.match(said(deployed), /the candidate fails more requests than stable/);
    assert.equal(await ask(sandbox.port), 'v2');
  });

  it('releases with different buckets hold the share, and a person reads why', async () => {
    const { sandbox } = shop;
    await configure(shop, '8s');
    await shop.put('other');
    const deployed = await sandbox.sluice('deploy');
    assert.equal(deployed.code, 3, said(deployed));
    assert.match(
      (await shop.shown()).reason ?? '',
      /the histogram of the candidate has other buckets than stable’s \(200, 2000 against 100, 1000 ms\)/,
    );
    assert.equal((await sandbox.sluice('abort')).code, 0);
    while ((await shop.shown()).status !== undefined) await sleep(200);
    assert.equal(await ask(sandbox.port), 'v2');
  });

  it('a server that dies holds the share, then a person is asked; back again it goes on from the same counts', async () => {
    await configure(shop, '10s');
    await shop.put('v3');
    assert.match(await shop.loseSourceInStage(), /unreachable: nothing listens on 127\.0\.0\.1:\d+ \(main\)/);
    await shop.goOnToTheEnd();
    assert.equal(await ask(shop.sandbox.port), 'v3');
  });

  it('a source that does not take the question refuses a deployment; `validate` says what is counted', async () => {
    const { sandbox } = shop;
    const before = await sandbox.traces();
    await configure(shop, '60s', { labels: { release: '{{release}}', __name__: 'x' } });
    await shop.put('v4');
    const wrong = await sandbox.sluice('deploy', '--json');
    assert.equal(wrong.code, 2, said(wrong));
    assert.match(failureIn(wrong).message, /counters: refused: status 400: .*metric name must not be set twice/);
    await configure(shop);
    assert.match(
      said(await sandbox.sluice('validate')),
      /counters: \d+ requests, 0 of them failed, counted by instances: 1 at main \(prometheus at http/,
    );
    assert.deepEqual(await sandbox.traces(), before);
  });
});
