// What the configuration says of metric sources: the counters that a comparison goes by, and questions about both releases.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../base/failure.ts';
import { gatePresets } from '../core/gate/statistics/settings.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import { parseConfig } from './parse.ts';
import { resolveEnvironment } from './resolve.ts';

function resolved(text: string): DeploySpec {
  const base = `service: shop
release: { directory: ./dist, command: node server.js }
router: { embedded: { listen: 8080 } }
`;
  return resolveEnvironment(parseConfig(base + text, 'sluice.yaml'), 'production', '/app');
}

const compare = { kind: 'statistical', preset: 'default', gate: gatePresets.default };

const metrics = `metrics: { main: { prometheus: { url: 'http://prometheus:9090' } }, other: { http: { url: 'http://other/{{release}}' } } }`;

test('the comparison may go by what a Prometheus counts', () => {
  const countersOf = (text: string) =>
    resolved(`strategy: canary\n${metrics}\ngates: { compare: { counters: ${text} } }`).gates.find(
      (gate) => gate.kind === 'statistical',
    );
  const labels = 'release="{{release}}",environment="{{environment}}"';
  assert.deepEqual(countersOf('{ source: main }'), {
    ...compare,
    counters: {
      source: 'main',
      selection: {
        requests: `http_requests_total{${labels}}`,
        errors: `http_requests_total{${labels},status=~"5.."}`,
        buckets: `http_request_duration_seconds_bucket{${labels}}`,
        unitMs: 1000,
        instance: 'instance',
      },
      intervalMs: 5_000,
    },
  });
  const own =
    '{ source: main, metric: orders_total, errors: { result: failed|lost }, histogram: off, unit: ms, labels: { release: "{{release}}" }, instance: pod, interval: 15s }';
  assert.deepEqual(countersOf(own)?.counters, {
    source: 'main',
    selection: {
      requests: 'orders_total{release="{{release}}"}',
      errors: 'orders_total{release="{{release}}",result=~"failed|lost"}',
      unitMs: 1,
      instance: 'pod',
    },
    intervalMs: 15_000,
  });
});

function refusal(text: string): string {
  try {
    resolved(text);
  } catch (error) {
    return error instanceof Failure ? error.message : String(error);
  }
  return 'nothing';
}

test('a question about stable too must say which release it is about', () => {
  const refused = (query: string): string =>
    refusal(`strategy: canary\n${metrics}\ngates: { queries: [{ name: memory, worseThanStable: 20%, ${query} }] }`);
  const problem = /queries\[0\]\.worseThanStable: without {{release}} the same is asked about both/;
  assert.match(refused('source: main, query: max(memory)'), problem);
  assert.equal(refused('source: main, query: \'max(memory{release="{{ release }}"})\''), 'nothing');
  assert.equal(refused('source: main, template: { memory: {} }'), 'nothing');
  assert.equal(refused('source: other, query: memory'), 'nothing', 'its URL says it');
  const place = metrics.replace('other/{{release}}', 'other/');
  assert.match(
    refusal(
      `strategy: canary\n${place}\ngates: { queries: [{ name: memory, worseThanStable: 20%, source: other, query: memory }] }`,
    ),
    problem,
  );
});

test('counters that nobody can read are refused, and so are holds that end before they are', () => {
  const refused = (counters: string, strategy = 'canary'): string =>
    refusal(`strategy: ${strategy}\n${metrics}\ngates: { compare: { counters: ${counters} } }`);
  assert.match(refused('{ source: mian }'), /counters\.source: there is no metric source "mian"/);
  assert.match(refused('{ source: other }'), /counters\.source: the source "other" is no Prometheus/);
  assert.match(
    refused('{ source: main, labels: { release: "{{nobody}}" } }'),
    /counters\.labels: .*{{nobody}}, which stands for nothing/,
  );
  assert.match(
    refused('{ source: main, labels: { job: shop } }'),
    /counters\.labels: without {{release}} they find the same/,
  );
  const short = '{ canary: { stages: [10%, 100%], maxHold: 30s } }';
  assert.match(refused('{ source: main, interval: 20s }', short), /need 45s, but strategy.canary.maxHold is 30s/);
});
