import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mayTakeLong } from './pattern-work.ts';
import { textProblem } from './single-values.ts';

const uuid = '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$';

for (const [pattern, length] of [
  ['^a+$', 4096],
  [uuid, 36],
  ['^[^@]+@[^@]+\\.[^@]+$', 40],
  ['^([0-9a-f]{2}:){5}[0-9a-f]{2}$', 17],
  ['^\\d{4}-\\d\\d-\\d\\d(T\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z)?$', 24],
  ['^(?:open|paid|sent|lost)$', 4],
  ['^[*+?({|]+$', 100],
  ['^\\(\\+\\)\\*$', 4],
] as const) {
  test(`${pattern} is matched`, () => assert.equal(mayTakeLong(pattern, length), false));
}

for (const [pattern, length] of [
  ['^(a+)+$', 40],
  ['^(a|a)*$', 40],
  ['^(?:a|b?)+c', 40],
  ['^(?<name>(x+x+)+)y$', 40],
  ['(a?){30}a{30}', 30],
  [`^${'a?'.repeat(30)}${'a'.repeat(30)}$`, 30],
  [`^${'(a|a)'.repeat(30)}b$`, 30],
  ['a*a*a*a*a*b', 1000],
  ['^a{0,99}a{0,99}a{0,99}b', 1000],
  ['^(a+?)+?$', 40],
  [`^${'a'.repeat(2000)}$`, 1],
  [`${'('.repeat(2000)}a${')'.repeat(2000)}`, 1],
] as const) {
  test(`${pattern.slice(0, 40)} is left out`, () => assert.equal(mayTakeLong(pattern, length), true));
}

test('a pattern that would take for ever says nothing against the text', () => {
  assert.equal(textProblem(`${'a'.repeat(60)}!`, { pattern: '^(a+)+$' }), undefined);
  assert.equal(textProblem('no', { pattern: uuid }), `"no" does not match ${uuid.slice(0, 60)}`);
});
