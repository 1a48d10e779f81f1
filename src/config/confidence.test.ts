// `confidence`: what it comes to, and the place, words and remedy of each error in it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Failure } from '../base/failure.ts';
import { parseConfig } from './parse.ts';
import { factSources, usualPolicy } from './resolve-confidence.ts';
import { resolveEnvironment } from './resolve.ts';

const base = `service: shop
release: { directory: ./dist, command: node server.js }
router: { embedded: { listen: 8080 } }
`;

const parsed = (text: string): ReturnType<typeof parseConfig> => parseConfig(base + text, 'sluice.yaml');

test('without it no score is asked for; with nothing in it the usual one is', () => {
  for (const text of ['', 'confidence: off']) {
    assert.equal(resolveEnvironment(parsed(text), 'production', '/app').confidence, undefined);
  }
  assert.deepEqual(resolveEnvironment(parsed('confidence: {}'), 'production', '/app').confidence, usualPolicy);
  assert.deepEqual(usualPolicy.at, ['beforeTraffic', 'beforePromotion']);
});

test('an environment changes single settings, and the paths of reports are taken from the file’s directory', () => {
  const config =
    parsed(`confidence: { criticality: high, goOn: 90, reports: { tests: a.xml, coverage: [b.info, /c.xml] } }
environments:
  staging: { confidence: off }
  production: { confidence: { goOn: 70, base: v1.2 }, router: { embedded: { listen: 8081 } } }`);
  const { confidence } = resolveEnvironment(config, 'production', '/app');
  assert.deepEqual([confidence?.criticality, confidence?.goOn, confidence?.ask], ['high', 70, 60]);
  assert.equal(resolveEnvironment(config, 'staging', '/app').confidence, undefined);
  assert.deepEqual(factSources(config, 'production', '/app'), {
    directory: '/app',
    reports: { tests: ['/app/a.xml'], lint: [], security: [], coverage: ['/app/b.info', '/c.xml'], summary: [] },
    base: 'v1.2',
  });
});

interface Case {
  readonly name: string;
  readonly text: string;
  readonly at: string;
  readonly message: string;
  readonly remedy: string;
}

const wrong: readonly Case[] = [
  {
    name: 'a score that asks a person above where it goes on',
    text: 'confidence: { goOn: 70, ask: 75 }',
    at: '4:30',
    message: 'confidence.ask: a person is asked from 75 on, but from 70 on it goes on by itself',
    remedy: 'Write at most 70, or raise confidence.goOn.',
  },
  {
    name: 'a score of which nothing could be known before there is traffic',
    text: 'confidence: { weights: { safety: 0, blastRadius: 0, history: 0, complexity: 0, coverage: 0 } }',
    at: '4:24',
    message: 'confidence.weights: before there is traffic nothing would count',
    remedy: 'Give a factor besides health a weight above 0.',
  },
  {
    name: 'a criticality that nobody knows',
    text: 'confidence: { criticality: vital }',
    at: '4:28',
    message: 'confidence.criticality: "vital" is no criticality',
    remedy: 'Write low, medium, high, critical.',
  },
  {
    name: 'a report list without a report',
    text: 'confidence: { reports: { tests: [] } }',
    at: '4:33',
    message: 'confidence.reports.tests: a list names no file',
    remedy: 'Write a path, such as reports/junit.xml, or remove it.',
  },
];

for (const { name, text, at, message, remedy } of wrong) {
  test(`names the place and the remedy of ${name}`, () => {
    assert.throws(
      () => parsed(text),
      (failure: Failure) => {
        assert.deepEqual([failure.at, failure.message, failure.remedy], [`sluice.yaml:${at}`, message, remedy]);
        return true;
      },
    );
  });
}
