// Counters of a real Prometheus: what was really scraped comes back whole, and everything that can go wrong has a name.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../../../test/free-port.ts';
import { TestPrometheus, withoutPrometheus } from '../../../../test/metrics/prometheus.ts';
import { Target } from '../../../../test/metrics/target.ts';
import { blockBetween } from '../../../core/gate/counter-blocks.ts';
import type { CounterReading } from '../../../core/metrics/counter-reading.ts';
import type { CounterOutcome, CounterPast, CounterQuestion } from '../../../core/metrics/counters.ts';
import type { PrometheusSource } from '../../../core/metrics/source.ts';
import { counterSelection } from '../../../core/metrics/templates.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { createAskWeb } from '../http/ask-web.ts';
import { createPrometheusMetrics } from './driver.ts';

const scope = { service: 'shop', environment: 'production' };
const candidate = 'shop@aaaaaaaaaaaa';
const stable = 'shop@bbbbbbbbbbbb';
const selection = counterSelection({
  metric: 'hits_total',
  errors: { status: '5..' },
  histogram: 'took_seconds',
  labels: { release: '{{release}}' },
  unitMs: 1000,
  instance: 'instance',
});

interface Served {
  good: number;
  bad: number;
  /** Of all of them, those that took at most 0.1 s. */
  quick: number;
  bounds?: readonly string[];
}

const [quickest, slowest] = ['0.1', '0.5'];

/** As a client library writes it. */
function exposed({ good, bad, quick, bounds = [quickest, slowest] }: Served): string {
  const all = good + bad;
  const buckets = bounds.map((bound) => `took_seconds_bucket{le="${bound}"} ${bound === quickest ? quick : all}`);
  return [
    `hits_total{status="200"} ${good}`,
    ...(bad === 0 ? [] : [`hits_total{status="500"} ${bad}`]),
    ...buckets,
    `took_seconds_bucket{le="+Inf"} ${all}`,
    '',
  ].join('\n');
}

function sourceAt(url: string, more: Partial<PrometheusSource> = {}): PrometheusSource {
  return { driver: 'prometheus', url, headers: {}, withinMs: 10_000, staleMs: 60_000, ...more };
}

function count(
  source: PrometheusSource,
  question: Partial<CounterQuestion> = {},
  past?: CounterPast,
  clock = systemClock,
): Promise<CounterOutcome> {
  const metrics = createPrometheusMetrics({ source, ask: createAskWeb({ variables: {} }), clock });
  return metrics.count({ selection, scope, candidate, stable, ...question }, past, new AbortController().signal);
}

async function readingOf(outcome: Promise<CounterOutcome>): Promise<CounterReading> {
  const given = await outcome;
  assert.ok(given.kind === 'counted', JSON.stringify(given));
  const [reading, ...others] = given.readings;
  assert.deepEqual(others, []);
  return reading ?? assert.fail('no reading');
}

async function reasonOf(outcome: Promise<CounterOutcome>): Promise<string> {
  const given = await outcome;
  return given.kind === 'none' ? given.reason : `read ${given.readings.length}`;
}

async function serving(listener: RequestListener): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('counters of a real Prometheus', { skip: withoutPrometheus }, () => {
  let prometheus: TestPrometheus;
  const targets = new Map<string, Target>();

  async function target(name: string, release: string, served: Served): Promise<Target> {
    const made = await Target.listen();
    targets.set(name, made);
    made.body = exposed(served);
    await prometheus.scrape(name, made.address, { release, instance: name });
    return made;
  }

  /** Reads until it is so. */
  async function read(isSo: (reading: CounterReading) => boolean, question?: Partial<CounterQuestion>) {
    for (let attempt = 0; attempt < 150; attempt += 1) {
      const reading = await readingOf(count(sourceAt(prometheus.url), question));
      if (isSo(reading)) return reading;
      await sleep(200);
    }
    return assert.fail('it does not come to this');
  }

  before(async () => {
    prometheus = await TestPrometheus.start();
    await target('c-1', candidate, { good: 90, bad: 10, quick: 60 });
    await target('c-2', candidate, { good: 7, bad: 0, quick: 7 });
    await target('s-1', stable, { good: 1_000, bad: 0, quick: 990 });
  });

  after(async () => {
    await prometheus.close();
    for (const each of targets.values()) await each.close();
  });

  test('each instance of both releases with its requests, failures and buckets, and when it was scraped', async () => {
    const reading = await read(({ candidate: c, stable: s }) => Object.keys({ ...c, ...s }).length === 3);
    assert.deepEqual(reading.bounds, { candidate: [100, 500], stable: [100, 500] });
    const { at: scrapedAt, ...first } = reading.candidate['c-1'] ?? assert.fail('no c-1');
    assert.deepEqual(first, { requests: 100, errors: 10, upTo: [60, 100, 100] });
    assert.ok(scrapedAt <= reading.at && reading.at - scrapedAt < 30_000);
    assert.equal(reading.candidate['c-2']?.errors, 0, 'no series of failures is no failure');
    assert.deepEqual(reading.stable['s-1']?.upTo, [990, 1_000, 1_000]);
  });

  test('a release that counts nothing is not there, and a release alone can be asked about', async () => {
    const { stable: nobody } = await readingOf(count(sourceAt(prometheus.url), { stable: 'shop@000000000000' }));
    assert.deepEqual(nobody, {});
    const alone = await readingOf(count(sourceAt(prometheus.url), { stable: undefined }));
    assert.deepEqual([Object.keys(alone.candidate).length, alone.stable], [2, {}]);
    const empty = await readingOf(
      count(sourceAt(prometheus.url), { candidate: undefined, stable: 'shop@000000000000' }),
    );
    assert.deepEqual([empty.candidate, empty.stable], [{}, {}]);
  });

  test('a program that starts again counts from 0, and the block between is what it really served', async () => {
    const own = await target('again', 'shop@cccccccccccc', { good: 500, bad: 100, quick: 600 });
    const question = { candidate: 'shop@cccccccccccc', stable: undefined };
    const first = await read(({ candidate: c }) => c['again']?.requests === 600, question);
    own.body = exposed({ good: 20, bad: 1, quick: 15 });
    const second = await read(({ candidate: c }) => c['again']?.requests === 21, question);
    assert.deepEqual(blockBetween(first, second).candidate, { requests: 21, errors: 1, latency: [15, 6, 0] });
  });

  test('instances that count in different buckets have no latencies to compare', async () => {
    await target('d-1', 'shop@dddddddddddd', { good: 5, bad: 0, quick: 5 });
    await target('d-2', 'shop@dddddddddddd', { good: 5, bad: 0, quick: 5, bounds: ['0.1', '0.4'] });
    const question = { candidate: 'shop@dddddddddddd', stable: undefined };
    const reading = await read(({ candidate: c }) => Object.keys(c).length === 2, question);
    assert.deepEqual([reading.bounds.candidate, reading.candidate['d-1']?.upTo], [[], []]);
  });

  test('the past, one reading for each step', async () => {
    await targets.get('s-1')?.scraped(4);
    const outcome = await count(sourceAt(prometheus.url), { candidate: undefined }, { fromMs: 60_000, stepMs: 1_000 });
    assert.ok(outcome.kind === 'counted' && outcome.readings.length >= 3, JSON.stringify(outcome).slice(0, 300));
    const times = outcome.readings.map(({ at }) => at);
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
    );
    assert.ok(outcome.readings.every(({ stable: s }) => s['s-1']?.requests === 1_000));
  });

  test('a server whose clock is ahead gives readings in the time of this machine; one that is behind gives old ones', async () => {
    const behind = { ...systemClock, now: () => systemClock.now() - 300_000 };
    const reading = await readingOf(count(sourceAt(prometheus.url), {}, undefined, behind));
    const { at } = reading.candidate['c-1'] ?? assert.fail('no c-1');
    assert.ok(at <= reading.at && reading.at <= behind.now(), `${reading.at - at}`);
    const far = { ...systemClock, now: () => systemClock.now() + 90_000 };
    assert.equal(await reasonOf(count(sourceAt(prometheus.url), {}, undefined, far)), 'stale');
  });

  test('every way not to answer has its name', async (context) => {
    const wrong = { ...selection, requests: 'hits_total{' };
    assert.equal(await reasonOf(count(sourceAt(prometheus.url), { selection: wrong })), 'refused');
    const foreign = { ...selection, requests: 'hits_total{release="{{nobody}}"}' };
    assert.equal(await reasonOf(count(sourceAt(prometheus.url), { selection: foreign })), 'refused');
    assert.equal(await reasonOf(count(sourceAt(`${prometheus.url}/wrong`))), 'refused');
    assert.equal(await reasonOf(count(sourceAt(`http://127.0.0.1:${await freePort()}`))), 'unreachable');
    const page = await serving((_, response) => response.end('<html>sign in</html>'));
    const ill = await serving((_, response) => response.writeHead(502).end('bad gateway'));
    const strange = await serving((_, response) => response.end(vector([{}, '1'])));
    const uncountable = await serving((_, response) => response.end(vector([marks, 'NaN'])));
    const negative = await serving((_, response) => response.end(vector([marks, '-3'])));
    const endless = await serving((_, response) => response.end('x'.repeat(300_000)));
    const others = [page, ill, strange, uncountable, negative, endless];
    context.after(() => others.forEach(({ server }) => server.close().closeAllConnections()));
    const reasons = await Promise.all(others.map(({ url }) => reasonOf(count(sourceAt(url)))));
    assert.deepEqual(reasons, ['unreadable', 'failed', 'unreadable', 'not-finite', 'unreadable', 'too-large']);
  });

  test('a server that stands still runs out of time, and answers again when it goes on', async () => {
    await prometheus.freeze();
    try {
      assert.equal(await reasonOf(count(sourceAt(prometheus.url, { withinMs: 500 }))), 'timed-out');
    } finally {
      prometheus.goOn();
    }
    assert.equal(await reasonOf(count(sourceAt(prometheus.url))), 'read 1');
  });

  test('a target that cannot be scraped is missing, and its counts are the old ones when it is back', async () => {
    const own = await target('away', 'shop@eeeeeeeeeeee', { good: 50, bad: 0, quick: 50 });
    const question = { candidate: 'shop@eeeeeeeeeeee', stable: undefined };
    await read(({ candidate: c }) => c['away']?.requests === 50, question);
    own.body = 'no metric at all {';
    await read(({ candidate: c }) => c['away'] === undefined, question);
    own.body = exposed({ good: 52, bad: 0, quick: 50 });
    await read(({ candidate: c }) => c['away']?.requests === 52, question);
  });
});

const marks = { sluice_role: 'candidate', sluice_part: 'requests' };

function vector(...series: readonly (readonly [Readonly<Record<string, string>>, string])[]): string {
  const result = series.map(([metric, value]) => ({ metric, value: [Date.now() / 1000, value] }));
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result } });
}
