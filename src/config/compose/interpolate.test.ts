import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interpolate, InterpolationProblem, textOf } from './interpolate.ts';

const variables: Readonly<Record<string, string>> = { SET: 'value', EMPTY: '', OTHER: 'other', A_1: 'a' };
const lookup = (name: string) => variables[name];

/** As `docker compose config` gives them. */
const forms: readonly (readonly [string, string])[] = [
  ['plain', 'plain'],
  ['', ''],
  ['$SET', 'value'],
  ['${SET}', 'value'],
  ['a${SET}b$OTHER.', 'avaluebother.'],
  ['$A_1-x', 'a-x'],
  ['$UNSET', ''],
  ['${UNSET}', ''],
  ['${SET:-default}', 'value'],
  ['${EMPTY:-default}', 'default'],
  ['${UNSET:-default}', 'default'],
  ['${SET-default}', 'value'],
  ['${EMPTY-default}', ''],
  ['${UNSET-default}', 'default'],
  ['${UNSET:-}', ''],
  ['${UNSET-}', ''],
  ['${SET:+other}', 'other'],
  ['${EMPTY:+other}', ''],
  ['${EMPTY+other}', 'other'],
  ['${UNSET+other}', ''],
  ['${UNSET:+other}', ''],
  ['${SET?message}', 'value'],
  ['${SET:?message}', 'value'],
  ['${EMPTY?message}', ''],
  ['${UNSET:-${SET}}', 'value'],
  ['${UNSET:-${EMPTY:-${OTHER}}}', 'other'],
  ['${UNSET:-a ${SET} b}', 'a value b'],
  ['${SET:+${OTHER}}', 'other'],
  ['$$', '$'],
  ['$$SET', '$SET'],
  ['$${SET}', '${SET}'],
  ['$$$SET', '$value'],
  ['${UNSET:-$$5}', '$5'],
  ['${UNSET:-http://x:80/?a=b}', 'http://x:80/?a=b'],
  ['${UNSET:-a:?b}', 'a:?b'],
];

for (const [text, wanted] of forms) {
  test(`${text} is ${JSON.stringify(wanted)}`, () => {
    assert.equal(textOf(interpolate(text, lookup)), wanted);
  });
}

const refused: readonly (readonly [string, RegExp])[] = [
  ['${UNSET:?no database}', /needs the variable UNSET, which is not set \(no database\)/],
  ['${EMPTY:?}', /needs the variable EMPTY/],
  ['${UNSET?}', /needs the variable UNSET/],
  ['$', /not well-formed/],
  ['100$', /not well-formed/],
  ['$5', /not well-formed/],
  ['${', /not well-formed/],
  ['${}', /not well-formed/],
  ['${SET', /not well-formed/],
  ['${SET!x}', /not well-formed/],
  ['${1}', /not well-formed/],
  [`${'${A:-'.repeat(30)}x${'}'.repeat(30)}`, /too deeply/],
];

for (const [text, words] of refused) {
  test(`${text.slice(0, 30)} is refused`, () => {
    assert.throws(
      () => interpolate(text, lookup),
      (error) => error instanceof InterpolationProblem && words.test(error.message),
    );
  });
}

test('what came from a variable is told apart from what stands in the text', () => {
  assert.deepEqual(interpolate('postgres://shop:${SET}@db', lookup), [
    'postgres://shop:',
    { variable: 'SET', value: 'value' },
    '@db',
  ]);
});
