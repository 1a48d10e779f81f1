import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { atJsonPath, parseJsonPath } from './json-path.ts';

const paths = [
  ['items[0].id', ['items', 0, 'id']],
  ['$.items[0]', ['items', 0]],
  ['$', []],
  ['[2]', [2]],
  ['["odd name"].x', ['odd name', 'x']],
  ['a["b.c"][1]', ['a', 'b.c', 1]],
  ['[""]', ['']],
  ['größe', ['größe']],
] as const;

for (const [text, steps] of paths) {
  test(`${text} leads ${steps.length} steps down`, () => {
    assert.deepEqual(parseJsonPath(text), steps);
  });
}

for (const text of [
  '',
  '.',
  '.a',
  'a.',
  'a..b',
  'a[',
  'a[]',
  'a[-1]',
  'a[x]',
  'a b',
  '["a]',
  '$a',
  'a]b',
  '[0]b',
  'a["b"]c',
]) {
  test(`${JSON.stringify(text)} is no path`, () => {
    assert.equal(parseJsonPath(text), undefined);
  });
}

test('a path leads to exactly the value that is there', () => {
  const name = fc.string().filter((text) => !/["\]]/.test(text));
  fc.assert(
    fc.property(fc.array(fc.oneof(name, fc.nat({ max: 5 }))), fc.jsonValue(), (steps, value) => {
      const whole = steps.reduceRight<unknown>((inner, step) => {
        if (typeof step === 'string') return Object.fromEntries([[step, inner]]);
        return [...Array<null>(step).fill(null), inner];
      }, value);
      const text = `$${steps.map((step) => (typeof step === 'number' ? `[${step}]` : `["${step}"]`)).join('')}`;
      assert.equal(atJsonPath(whole, parseJsonPath(text) ?? ['no path']), value);
    }),
  );
});

test('what every object inherits is not there', () => {
  for (const text of ['constructor', '__proto__', 'toString', 'length']) {
    assert.equal(atJsonPath({}, parseJsonPath(text) ?? []), undefined);
  }
});
