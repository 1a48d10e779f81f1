import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { freePort } from '../../../../test/free-port.ts';
import { prometheusUser, TestPrometheus, withoutPrometheus } from '../../../../test/metrics/prometheus.ts';
import { SlowWay } from '../../../../test/metrics/slow-way.ts';
import { nativeHistogram, Target } from '../../../../test/metrics/target.ts';
import { systemClock } from '../../clock/system-clock.ts';
import type { MetricOutcome, MetricQuestion } from '../../../core/metrics/question.ts';
import type { PrometheusSource } from '../../../core/metrics/source.ts';
import { type QueryTemplate, templatedQuery } from '../../../core/metrics/templates.ts';
import {
  contractValues,
  metricsContract,
  type MetricsHarness,
  type Situation,
} from '../../../ports/metrics.contract.ts';
import { createAskWeb } from '../http/ask-web.ts';
import { createPrometheusMetrics } from './driver.ts';

const secret = 'Token-of-the-metrics-77';
const ask = createAskWeb({ variables: { METRIC_TOKEN: secret, PASSWORD: prometheusUser.password, WRONG: 'guess' } });
const values = { ...contractValues, windowSeconds: 30 };

function sourceAt(url: string, more: Partial<PrometheusSource> = {}): PrometheusSource {
  return { driver: 'prometheus', url, headers: {}, withinMs: 10_000, staleMs: 60_000, ...more };
}

async function read(source: PrometheusSource, question: Partial<MetricQuestion> & { readonly query: string }) {
  const metrics = createPrometheusMetrics({ source, ask, clock: systemClock });
  return metrics.read({ values, ...question }, new AbortController().signal);
}

function reasonOf(outcome: MetricOutcome): string {
  return outcome.kind === 'number' ? `the number ${outcome.value}` : outcome.reason;
}

async function eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 150; attempt += 1) {
    if (await holds()) return;
    await sleep(200);
  }
  assert.fail(`it does not come to this: ${what}`);
}

async function listen(listener: RequestListener): Promise<{ readonly server: Server; readonly url: string }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe('the Prometheus source', { skip: withoutPrometheus }, () => {
  let prometheus: TestPrometheus;
  let target: Target;
  let way: SlowWay;
  /** What stands before a Prometheus, and answers for it. */
  let gateway: { readonly server: Server; readonly url: string };

  before(async () => {
    gateway = await listen((request, response) => {
      if (request.url?.startsWith('/page/') === true) response.end(`<html>sign in, ${secret}</html>`);
      else response.writeHead(502).end(`bad gateway for ${request.headers['authorization'] ?? 'nobody'}`);
    });
    prometheus = await TestPrometheus.start({ remote: `${gateway.url}/read` });
    way = await SlowWay.to(prometheus.port);
    target = await Target.listen();
    const many = Array.from({ length: 4_000 }, (_, index) => `many{number="${index}",padding="${'x'.repeat(40)}"} 1`);
    target.body = () => [...many, `fresh 5`, `old 5 ${Date.now() - 120_000}`, ''].join('\n');
    await prometheus.scrape('many', target.address);
    await eventually(
      'it is scraped',
      async () => reasonOf(await read(sourceAt(prometheus.url), { query: 'old' })) === 'the number 5',
    );
  });

  after(async () => {
    await prometheus.close();
    await way.close();
    await target.close();
    gateway.server.closeAllConnections();
    gateway.server.close();
  });

  const queries: Partial<Record<Situation, string>> = {
    refused: 'sum(',
    'too-large': 'many',
    incomplete: 'sum(many{remote="yes"}) or vector(1)',
    empty: 'nothing_of_this_name{release="{{release}}"}',
    'not-finite': 'vector(0) / vector(0)',
    'not-a-number': '"text"',
    several: 'many{number=~"[12]"}',
    stale: 'old',
  };

  async function urlIn(situation: Situation): Promise<string> {
    way.blocked = situation === 'timed-out';
    const urls: Partial<Record<Situation, string>> = {
      unreachable: `http://127.0.0.1:${await freePort()}`,
      failed: gateway.url,
      unreadable: `${gateway.url}/page`,
      'timed-out': `http://127.0.0.1:${way.port}`,
    };
    return urls[situation] ?? prometheus.url;
  }

  metricsContract(
    'a real Prometheus',
    async (): Promise<MetricsHarness> => ({
      arrange: async (situation) => {
        const token = { fromEnvironment: situation === 'misconfigured' ? 'NOBODY' : 'METRIC_TOKEN' };
        const source = sourceAt(await urlIn(situation), {
          credentials: { kind: 'bearer', token },
          withinMs: situation === 'timed-out' ? 500 : 10_000,
        });
        const query = queries[situation] ?? (typeof situation === 'number' ? `vector(${situation})` : 'vector(1)');
        const measuredAt = situation === 'stale' ? { measuredAt: 'old' } : {};
        return {
          metrics: createPrometheusMetrics({ source, ask, clock: systemClock }),
          question: { query, values, ...measuredAt },
        };
      },
      until: (promise) => promise,
      close: async () => undefined,
    }),
    { secret, counts: true },
  );

  test('a wrong URL, a wrong question and a range are told in words that help', async () => {
    const lost = await read(sourceAt(`${prometheus.url}/graph/api`), { query: 'up' });
    assert.deepEqual(lost, {
      kind: 'none',
      reason: 'refused',
      words: 'status 404, the URL leads to nothing there: "404 page not found"',
    });
    const wrong = await read(sourceAt(prometheus.url), { query: 'sum(up' });
    assert.match(wrong.kind === 'none' ? wrong.words : '', /status 400.*bad_data.*unclosed left parenthesis/);
    const range = await read(sourceAt(prometheus.url), { query: 'fresh[{{window}}]' });
    assert.deepEqual(range, {
      kind: 'none',
      reason: 'not-a-number',
      words: 'the query gives ranges; leave [ ] out or put rate() around it',
    });
  });

  test('scalars are numbers too, and infinities are none', async () => {
    const source = sourceAt(`${prometheus.url}///`);
    assert.equal(reasonOf(await read(source, { query: '2.5' })), 'the number 2.5');
    assert.equal(reasonOf(await read(source, { query: 'vector(1) / vector(0)' })), 'not-finite');
    assert.equal(reasonOf(await read(source, { query: '-1/0' })), 'not-finite');
  });

  test('a series that is still measured is not stale, and one that nobody knows is not fresh', async () => {
    const source = sourceAt(prometheus.url);
    assert.equal(reasonOf(await read(source, { query: 'fresh', measuredAt: 'fresh' })), 'the number 5');
    assert.equal(reasonOf(await read(source, { query: 'fresh', measuredAt: 'nothing' })), 'empty');
    const old = await read(source, { query: 'old', measuredAt: 'old' });
    assert.match(old.kind === 'none' ? old.words : '', /^a series was measured 1[12]\d s ago$/);
  });

  test('an answer out of the past is stale, by whatever it came', async () => {
    const now = systemClock.now();
    const late = createPrometheusMetrics({
      source: sourceAt(prometheus.url),
      ask,
      clock: { ...systemClock, now: () => now + 90_000 },
    });
    const outcome = await late.read({ query: 'fresh', values }, new AbortController().signal);
    assert.equal(reasonOf(outcome), 'stale');
  });

  test('a server that stands still runs out of time, and answers again when it goes on', async () => {
    const source = sourceAt(prometheus.url, { withinMs: 500 });
    await prometheus.freeze();
    try {
      assert.equal(reasonOf(await read(source, { query: '1' })), 'timed-out');
    } finally {
      prometheus.goOn();
    }
    assert.equal(reasonOf(await read(sourceAt(prometheus.url), { query: '1' })), 'the number 1');
  });

  test('credentials that are missing or wrong are refused, the right ones are not', async (context) => {
    const guarded = await TestPrometheus.start({ password: true });
    context.after(() => guarded.close());
    const withPassword = (fromEnvironment: string): PrometheusSource =>
      sourceAt(guarded.url, {
        credentials: { kind: 'basic', user: prometheusUser.user, password: { fromEnvironment } },
      });
    const nobody = await read(sourceAt(guarded.url), { query: '1' });
    assert.match(nobody.kind === 'none' ? nobody.words : '', /^status 401, the credentials are missing or wrong/);
    assert.equal(reasonOf(await read(withPassword('WRONG'), { query: '1' })), 'refused');
    assert.equal(reasonOf(await read(withPassword('PASSWORD'), { query: '1' })), 'the number 1');
  });

  test('a server with a certificate of its own is trusted by its authority alone', async (context) => {
    const place = await mkdtemp(join(tmpdir(), 'sluice-m-'));
    const [key, certificate] = [join(place, 'key.pem'), join(place, 'cert.pem')];
    const kind = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const names = ['-subj', '/CN=metrics', '-addext', 'subjectAltName=IP:127.0.0.1'];
    await promisify(execFile)('openssl', [...kind, ...names, '-keyout', key, '-out', certificate]);
    const guarded = await TestPrometheus.start({ tls: { certificate, key } });
    context.after(async () => {
      await guarded.close();
      await rm(place, { recursive: true });
    });
    assert.equal(reasonOf(await read(sourceAt(guarded.url), { query: '1' })), 'unreachable');
    assert.equal(reasonOf(await read(sourceAt(guarded.url, { ca: certificate }), { query: '1' })), 'the number 1');
  });

  describe('templates on what was really scraped', () => {
    const labels = { release: '{{release}}', environment: '{{environment}}' };
    const of = { release: values.release, environment: values.environment };
    const sides = new Map<string, Target>();
    let counted = 0;
    let scrapes = 0;

    function asked(template: QueryTemplate, asks: 'query' | 'samples' = 'query'): Promise<MetricOutcome> {
      const { measuredAt, ...texts } = templatedQuery(template);
      const query = texts[asks] ?? '';
      return read(sourceAt(prometheus.url), { query, ...(asks === 'query' ? { measuredAt } : {}) });
    }

    async function near(
      what: string,
      expected: number,
      tolerance: number,
      ask: () => Promise<MetricOutcome>,
    ): Promise<void> {
      let seen = '';
      await eventually(`${what} is about ${expected}`, async () => {
        const outcome = await ask();
        seen = reasonOf(outcome);
        return outcome.kind === 'number' && Math.abs(outcome.value - expected) <= tolerance;
      }).catch(() => assert.fail(`${what}: ${seen} instead of about ${expected}`));
    }

    /** 20 requests between two scrapes, a tenth of them failed; three of four took at most 0.1 s, all at most 0.5 s. */
    function text(): string {
      scrapes += 1;
      counted += 20;
      const name = (metric: string, more = ''): string =>
        `${metric}{release="${of.release}",environment="${of.environment}"${more}}`;
      return [
        `${name('http_requests_total', ',status="200"')} ${counted * 0.9}`,
        `${name('http_requests_total', ',status="503"')} ${counted * 0.1}`,
        `${name('http_request_duration_seconds_bucket', ',le="0.1"')} ${counted * 0.75}`,
        `${name('http_request_duration_seconds_bucket', ',le="0.5"')} ${counted}`,
        `${name('http_request_duration_seconds_bucket', ',le="+Inf"')} ${counted}`,
        `${name('http_request_duration_seconds_sum')} ${counted * 0.1}`,
        `${name('http_request_duration_seconds_count')} ${counted}`,
        `${name('process_cpu_seconds_total')} ${scrapes * 0.4}`,
        `${name('process_resident_memory_bytes')} 52428800`,
        '',
      ].join('\n');
    }

    before(async () => {
      const [plain, native] = [await Target.listen(), await Target.listen()];
      sides.set('plain', plain).set('native', native);
      plain.body = text;
      let count = 0;
      await prometheus.scrape('plain', plain.address);
      await prometheus.scrape('native', native.address);
      const advance = (): Buffer => nativeHistogram('native_duration_seconds', of, 3, (count += 10));
      native.body = advance();
      for (let round = 0; round < 6; round += 1) {
        await native.scraped(1);
        native.body = advance();
      }
      await plain.scraped(2);
    });

    after(async () => {
      for (const side of sides.values()) await side.close();
    });

    test('request rate, error rate and the requests that it stands on', async () => {
      await near('requests per second', 20, 3, () =>
        asked({ kind: 'requestRate', metric: 'http_requests_total', labels }),
      );
      const errorRate = {
        kind: 'errorRate',
        metric: 'http_requests_total',
        errors: { status: '5..' },
        labels,
      } as const;
      await near('error rate', 0.1, 0.02, () => asked(errorRate));
      await near('error rate of nothing that fails', 0, 0, () => asked({ ...errorRate, errors: { status: '6..' } }));
      const samples = await asked(errorRate, 'samples');
      assert.ok(samples.kind === 'number' && samples.value > 20, reasonOf(samples));
      const other = { ...errorRate, labels: { release: 'nobody' } };
      assert.equal(reasonOf(await asked(other)), 'empty', 'a release without requests has no error rate');
    });

    test('quantiles of a classic and of a native histogram', async () => {
      const classic = {
        kind: 'quantile',
        histogram: 'http_request_duration_seconds',
        quantile: 0.75,
        native: false,
        labels,
      } as const;
      await near('p75', 0.1, 0.01, () => asked(classic));
      await near('p99', 0.484, 0.02, () => asked({ ...classic, quantile: 0.99 }));
      const native = {
        kind: 'quantile',
        histogram: 'native_duration_seconds',
        quantile: 0.95,
        native: true,
        labels,
      } as const;
      await near('p95 of the native one', 7.9, 0.4, () => asked(native));
      const samples = await asked(native, 'samples');
      assert.ok(samples.kind === 'number' && samples.value > 10, reasonOf(samples));
      assert.equal(
        reasonOf(await asked({ ...native, native: false })),
        'empty',
        'it has no buckets of the classic kind',
      );
    });

    test('CPU as a share of what an instance may use, and memory', async () => {
      await near('CPU of two cores', 0.2, 0.05, () =>
        asked({ kind: 'cpu', metric: 'process_cpu_seconds_total', cores: 2, labels }),
      );
      const memory = { kind: 'memory', metric: 'process_resident_memory_bytes', labels } as const;
      assert.equal(reasonOf(await asked(memory)), 'the number 52428800');
    });

    test('a program that starts again counts from 0, and no rate becomes negative or wild', async () => {
      counted = 0;
      await sides.get('plain')?.scraped(2);
      const rate = await asked({ kind: 'requestRate', metric: 'http_requests_total', labels });
      assert.ok(rate.kind === 'number' && rate.value >= 0 && rate.value < 60, reasonOf(rate));
    });

    test('a target that went away leaves no number behind', async () => {
      const gone = sides.get('plain');
      sides.delete('plain');
      await gone?.close();
      const memory = { kind: 'memory', metric: 'process_resident_memory_bytes', labels } as const;
      await eventually('its memory is forgotten', async () => reasonOf(await asked(memory)) === 'empty');
    });
  });

  test('a server that is stopped is unreachable; started again it goes on with what it has stored', async () => {
    const source = sourceAt(prometheus.url);
    await prometheus.stop();
    assert.equal(reasonOf(await read(source, { query: 'fresh' })), 'unreachable');
    await prometheus.startAgain();
    assert.equal(reasonOf(await read(source, { query: '1' })), 'the number 1');
    await eventually(
      'it scrapes again',
      async () => reasonOf(await read(source, { query: 'fresh' })) === 'the number 5',
    );
  });
});
