import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Failure } from '../base/failure.ts';
import type { Artifact, RunSpec } from './release.ts';
import { assertFixedReference, releaseId } from './release-id.ts';

const artifact: Artifact = { kind: 'directory', source: '/a', digest: `sha256:${'0'.repeat(64)}` };
const run: RunSpec = {
  command: ['node', 'server.js'],
  environment: { A: '1', B: { fromFile: '/b' } },
  workingDirectory: '.',
  limits: { openFiles: 100, memoryBytes: undefined },
};

test('a release id is the service and 12 hex digits, and stays what it was in earlier versions', () => {
  assert.equal(releaseId('shop', artifact, run), 'shop@f485125ecf24');
});

test('neither the source, nor the order of settings, nor absent settings change the id', () => {
  const same: RunSpec = {
    limits: { openFiles: 100 },
    workingDirectory: '.',
    environment: { B: { fromFile: '/b' }, A: '1' },
    command: ['node', 'server.js'],
  };
  assert.equal(releaseId('shop', { ...artifact, source: '/elsewhere' }, same), releaseId('shop', artifact, run));
});

test('every setting and the digest change the id', () => {
  const others: readonly RunSpec[] = [
    { ...run, command: ['node', 'server.js', '--x'] },
    { ...run, command: ['node server.js'] },
    { ...run, environment: { A: '2', B: { fromFile: '/b' } } },
    { ...run, environment: { A: '1', B: { fromEnvironment: '/b' } } },
    { ...run, environment: { A: '1', B: '/b' } },
    { ...run, workingDirectory: 'sub' },
    { ...run, user: 'www-data' },
    { ...run, limits: { openFiles: 101 } },
    { ...run, limits: {} },
  ];
  const ids = [run, ...others].map((each) => releaseId('shop', artifact, each));
  ids.push(releaseId('shop', { ...artifact, digest: `sha256:${'1'.repeat(64)}` }, run));
  assert.equal(new Set(ids).size, ids.length);
});

test('different environments have different ids, whatever is in their names and values', () => {
  const environment = fc.dictionary(fc.string(), fc.string());
  fc.assert(
    fc.property(environment, environment, (a, b) => {
      const same =
        releaseId('s', artifact, { ...run, environment: a }) === releaseId('s', artifact, { ...run, environment: b });
      const sorted = (value: Readonly<Record<string, string>>) =>
        JSON.stringify(Object.entries(value).sort(([x], [y]) => (x < y ? -1 : 1)));
      assert.equal(same, sorted(a) === sorted(b));
    }),
  );
});

const digest = `sha256:${'ab'.repeat(32)}`;

for (const reference of [
  'ghcr.io/acme/shop:1.4.2',
  'localhost:5000/shop:3f9c2a1',
  `ghcr.io/acme/shop@${digest}`,
  `ghcr.io/acme/shop:latest@${digest}`,
  'shop:2026-11-21',
]) {
  test(`the reference ${reference} is fixed`, () => assertFixedReference(reference));
}

for (const reference of [
  'shop',
  'ghcr.io/acme/shop',
  'localhost:5000/shop',
  'shop:',
  'shop:latest',
  'shop:Latest',
  'ghcr.io/acme/shop:main',
  'shop:master',
  'shop:develop',
  'shop:stable',
  'shop:edge',
  'shop:nightly',
  'shop@sha256:abc',
]) {
  test(`the reference ${reference} is refused`, () => {
    assert.throws(
      () => assertFixedReference(reference),
      (thrown) => thrown instanceof Failure && thrown.code === 'release.mutable' && thrown.message.includes(reference),
    );
  });
}
