// A real Prometheus judges real releases: what the router cannot see takes a release back, and a server that dies promotes nothing.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { withoutPrometheus } from '../metrics/prometheus.ts';
import { OrderShop, said } from './support/order-shop.ts';
import { failureIn } from './support/sandbox.ts';
import { ask } from './support/visitors.ts';

interface Settings {
  readonly hold?: object;
  readonly maxHold?: string;
  /** What the source's URL ends with. */
  readonly path?: string;
}

async function configure(shop: OrderShop, { hold, maxHold = '60s', path = '' }: Settings = {}): Promise<void> {
  const template = { errorRate: { metric: 'orders_total', errors: { result: 'failed' } } };
  const query = { name: 'failed orders', source: 'main', template, minSamples: 10, max: 0.05, interval: '1s' };
  await shop.sandbox.configure({
    ...shop.settings({ hold: hold ?? { atLeast: '4s', requests: 5 }, maxHold }),
    metrics: { main: { prometheus: { url: shop.prometheus.url + path, within: '1s' } } },
    gates: { compare: 'off', errorRate: 'off', availability: 'off', p95: 'off', queries: [query] },
  });
}

describe('with a real Prometheus', { skip: withoutPrometheus }, () => {
  let shop: OrderShop;
  before(async () => {
    shop = await OrderShop.open(configure);
  });
  after(() => shop.close());

  it('a release that Prometheus finds good is promoted, with the numbers in its history', async () => {
    const { sandbox } = shop;
    await shop.put('v2');
    const deployed = await sandbox.sluice('deploy');
    assert.equal(deployed.code, 0, said(deployed));
    assert.match(said(await sandbox.sluice('history', '--json')), /failed orders is 0, allowed is at most 0.05/);
    assert.equal(await ask(sandbox.port), 'v2');
  });

  it('a release that answers everything and fails behind it goes back', async () => {
    const { sandbox } = shop;
    await shop.put('bad');
    const deployed = await sandbox.sluice('deploy');
    assert.equal(deployed.code, 1, said(deployed));
    assert.match(said(deployed), /failed orders is 0\.\d+, allowed is at most 0.05/);
    assert.equal(await ask(sandbox.port), 'v2');
  });

  it('a server that dies in the middle of a stage holds the share, then a person is asked; back again it lets go on', async () => {
    await configure(shop, { hold: { atLeast: '15s', requests: 5 }, maxHold: '15s' });
    await shop.put('v3');
    const reason = await shop.loseSourceInStage();
    assert.match(reason, /failed orders has no number: unreachable: nothing listens on 127\.0\.0\.1:\d+ \(main\)/);
    await shop.goOnToTheEnd();
    assert.equal(await ask(shop.sandbox.port), 'v3');
  });

  it('a deployment whose server is away, or takes no such query, does not begin; `validate` says why', async () => {
    const { sandbox, prometheus } = shop;
    const before = await sandbox.traces();
    await configure(shop, { path: '/wrong' });
    await shop.put('v4');
    const wrong = await sandbox.sluice('deploy', '--json');
    assert.equal(wrong.code, 2);
    assert.equal(failureIn(wrong).code, 'metrics.refused');
    assert.match(failureIn(wrong).message, /failed orders: refused: status 404, the URL leads to nothing there/);
    await configure(shop);
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
