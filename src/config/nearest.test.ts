import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from './nearest.ts';

const names = ['service', 'release', 'instances', 'health', 'strategy', 'stopGrace', 'drain', 'env'];

const meant = [
  ['servce', 'service'],
  ['stop_grace', 'stopGrace'],
  ['Stop-Grace', 'stopGrace'],
  ['hlaeth', 'health'],
  ['replicas', 'instances'],
  ['healthcheck', 'health'],
  ['gracePeriod', 'stopGrace'],
  ['zzz', undefined],
  ['', undefined],
  ['__proto__', undefined],
  ['constructor', undefined],
] as const;

for (const [given, expected] of meant) {
  test(`${JSON.stringify(given)} was meant as ${expected ?? 'nothing known'}`, () => {
    assert.equal(nearest(given, names), expected);
  });
}

test('a name of a megabyte is compared by its beginning only', () => {
  assert.equal(nearest('x'.repeat(1_000_000), names), undefined);
});
