import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counterQuery } from './counters.ts';
import { counterSelection } from './templates.ts';

const scope = { service: 'shop', environment: 'production' };
const candidate = 'shop@aaaaaaaaaaaa';
const stable = 'shop@bbbbbbbbbbbb';
const labels = { release: '{{release}}', job: 'a "shop"' };
const template = { metric: 'hits_total', errors: { code: '5..' }, labels, unitMs: 1000, instance: 'pod' };

test('a selection finds requests, failures and buckets of one release', () => {
  assert.deepEqual(counterSelection({ ...template, histogram: 'took' }), {
    requests: 'hits_total{release="{{release}}",job="a \\"shop\\""}',
    errors: 'hits_total{release="{{release}}",job="a \\"shop\\"",code=~"5.."}',
    buckets: 'took_bucket{release="{{release}}",job="a \\"shop\\""}',
    unitMs: 1000,
    instance: 'pod',
  });
});

test('one query asks all of both releases, each series marked with what it is', () => {
  const query = counterQuery({
    selection: counterSelection({ ...template, labels: { release: '{{release}}' } }),
    scope,
    candidate,
    stable,
  });
  const marked = (sum: string, role: string, part: string): string =>
    `label_replace(label_replace(${sum}, "sluice_role", "${role}", "sluice_role", ".*"), "sluice_part", "${part}", "sluice_part", ".*")`;
  const of = (role: string, release: string): readonly string[] => [
    marked(`sum by (pod) (hits_total{release="${release}"})`, role, 'requests'),
    marked(`sum by (pod) (hits_total{release="${release}",code=~"5.."})`, role, 'errors'),
    marked(`max by (pod) (timestamp(hits_total{release="${release}"}))`, role, 'measured'),
  ];
  assert.equal(query, [...of('candidate', candidate), ...of('stable', stable)].join(' or '));
});
