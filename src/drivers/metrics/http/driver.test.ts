import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { freePort } from '../../../../test/free-port.ts';
import type { HttpSource } from '../../../core/metrics/source.ts';
import type { MetricOutcome, MetricQuestion } from '../../../core/metrics/question.ts';
import { contractValues, metricsContract, type Situation } from '../../../ports/metrics.contract.ts';
import { systemClock } from '../../clock/system-clock.ts';
import { createAskWeb } from './ask-web.ts';
import { createHttpMetrics } from './driver.ts';

const secret = 'Token-of-the-metrics-77';
const ask = createAskWeb({ variables: { METRIC_TOKEN: secret } });

const plain: Omit<HttpSource, 'url'> = { driver: 'http', headers: {}, withinMs: 10_000, staleMs: 60_000 };

async function serve(
  listener: RequestListener,
): Promise<{ readonly url: string; [Symbol.asyncDispose](): Promise<void> }> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function read(
  source: Partial<HttpSource> & { readonly url: string },
  question: Partial<MetricQuestion> = {},
): Promise<MetricOutcome> {
  const metrics = createHttpMetrics({ source: { ...plain, ...source }, ask, clock: systemClock });
  return metrics.read({ query: 'data.depth', values: contractValues, ...question }, new AbortController().signal);
}

function answering(situation: Situation): RequestListener {
  const json =
    (depth: unknown): RequestListener =>
    (_request, response) =>
      response.end(JSON.stringify({ data: { depth, at: Date.now() - 120_000 } }));
  if (typeof situation === 'number') return json(situation);
  const others: Partial<Record<Situation, RequestListener>> = {
    'timed-out': () => undefined,
    refused: (request, response) => response.writeHead(401).end(`who is ${request.headers['authorization']}`),
    failed: (_request, response) => response.writeHead(502).end('bad gateway'),
    unreadable: (_request, response) => response.end(`<html>${secret}`),
    'too-large': (_request, response) => response.end(`"${'x'.repeat(300_000)}"`),
    empty: json(undefined),
    'not-finite': json('NaN'),
    'not-a-number': json('12'),
    several: json([1, 2]),
  };
  return others[situation] ?? json(1);
}

metricsContract(
  'the HTTP source',
  async () => {
    let listener: RequestListener = () => undefined;
    const server = await serve((request, response) => listener(request, response));
    return {
      arrange: async (situation) => {
        listener = answering(situation);
        const token =
          situation === 'misconfigured' ? { fromEnvironment: 'NOBODY' } : { fromEnvironment: 'METRIC_TOKEN' };
        const source: HttpSource = {
          ...plain,
          url: situation === 'unreachable' ? `http://127.0.0.1:${await freePort()}/` : server.url,
          credentials: { kind: 'bearer', token },
          withinMs: situation === 'timed-out' ? 300 : 10_000,
        };
        const measuredAt = situation === 'stale' ? { measuredAt: 'data.at' } : {};
        const question = { query: 'data.depth', values: contractValues, ...measuredAt };
        return { metrics: createHttpMetrics({ source, ask, clock: systemClock }), question };
      },
      until: (promise) => promise,
      close: () => server[Symbol.asyncDispose](),
    };
  },
  { never: { incomplete: 'plain JSON has no way to say so' }, secret },
);

test('what is asked about stands in the URL and in the path, each as what it is there', async () => {
  const asked: string[] = [];
  await using server = await serve((request, response) => {
    asked.push(request.url ?? '');
    response.end(JSON.stringify({ releases: { 'shop@0123456789ab': { 'a.b': 4 }, 'x"].y': 5 } }));
  });
  const url = `${server.url}/of/{{release}}?for={{window}}`;
  assert.deepEqual(await read({ url }, { query: 'releases["{{release}}"]["a.b"]' }), { kind: 'number', value: 4 });
  const values = { ...contractValues, release: 'x"].y' };
  assert.deepEqual(await read({ url }, { query: 'releases.{{release}}', values }), { kind: 'number', value: 5 });
  assert.deepEqual(asked, ['/of/shop%400123456789ab?for=60s', '/of/x%22%5D.y?for=60s']);
});

test('credentials and headers are read at each question', async () => {
  const place = await mkdtemp(join(tmpdir(), 'sluice-m-'));
  const seen: (string | undefined)[] = [];
  await using server = await serve((request, response) => {
    seen.push(request.headers['authorization'], request.headers['x-team'] as string | undefined);
    response.end('{"data":{"depth":1}}');
  });
  const file = join(place, 'password');
  const source = {
    url: server.url,
    headers: { 'X-Team': 'a' },
    credentials: { kind: 'basic', user: 'sluice', password: { fromFile: file } },
  } as const;
  await writeFile(file, 'one\n');
  await read(source);
  await writeFile(file, 'two');
  await read(source);
  await rm(file);
  const gone = await read(source);
  await rm(place, { recursive: true });
  assert.deepEqual(seen, [`Basic ${btoa('sluice:one')}`, 'a', `Basic ${btoa('sluice:two')}`, 'a']);
  assert.deepEqual(gone, { kind: 'none', reason: 'misconfigured', words: `the file ${file} does not exist` });
});

test('a redirect is not followed, and a 204 is an answer without data', async () => {
  await using server = await serve((request, response) => {
    if (request.url === '/empty') response.writeHead(204).end();
    else response.writeHead(302, { location: '/elsewhere' }).end();
  });
  const redirected = await read({ url: server.url });
  assert.deepEqual(redirected, {
    kind: 'none',
    reason: 'refused',
    words: 'status 302, a redirect, which is not followed',
  });
  assert.deepEqual(await read({ url: `${server.url}/empty` }), {
    kind: 'none',
    reason: 'empty',
    words: 'the answer has no content (status 204)',
  });
});

test('times are seconds, milliseconds or text; what is none is said', async () => {
  let at: unknown;
  await using server = await serve((_request, response) => response.end(JSON.stringify({ data: { depth: 1, at } })));
  const of = async (time: unknown): Promise<string> => {
    at = time;
    const outcome = await read({ url: server.url }, { measuredAt: 'data.at' });
    return outcome.kind === 'number' ? 'number' : outcome.reason;
  };
  assert.equal(await of(Date.now() / 1000), 'number');
  assert.equal(await of(Date.now()), 'number');
  assert.equal(await of(new Date().toISOString()), 'number');
  assert.equal(await of(Date.now() / 1000 - 61), 'stale');
  assert.equal(await of(new Date(Date.now() - 61_000).toISOString()), 'stale');
  assert.equal(await of('yesterday'), 'unreadable');
  assert.equal(await of(undefined), 'unreadable');
});

test('an authority of one’s own is trusted where it is named, and nowhere else', async (context) => {
  const place = await mkdtemp(join(tmpdir(), 'sluice-m-'));
  const [key, certificate] = [join(place, 'key.pem'), join(place, 'cert.pem')];
  const request = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=metrics', '-addext', 'subjectAltName=IP:127.0.0.1'];
  await promisify(execFile)('openssl', [...request, ...names, '-keyout', key, '-out', certificate]);
  const server = createTlsServer(
    { key: await readFile(key), cert: await readFile(certificate) },
    (_request, response) => response.end('{"data":{"depth":1}}'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  context.after(async () => {
    server.closeAllConnections();
    server.close();
    await rm(place, { recursive: true });
  });
  const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const stranger = await read({ url });
  assert.ok(stranger.kind === 'none' && stranger.reason === 'unreachable', JSON.stringify(stranger));
  assert.match(stranger.words, /signed by itself/);
  assert.deepEqual(await read({ url, ca: certificate }), { kind: 'number', value: 1 });
  await writeFile(key, 'no certificate');
  const broken = await read({ url, ca: key });
  assert.ok(broken.kind === 'none', 'a file that is no certificate is trusted for nothing');
  assert.equal(broken.reason, 'misconfigured');
});
