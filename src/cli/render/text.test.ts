import assert from 'node:assert/strict';
import test from 'node:test';

import * as fc from 'fast-check';

import { clean, columnsOf, fit, hanging, padEnd, padStart, table, wrap } from './text.ts';

test('text from outside loses everything that acts on a terminal', () => {
  assert.equal(clean('\u001b[31mred\u001b[0m and \u001b]0;title\u0007plain'), 'red and plain');
  assert.equal(clean('one\r\ntwo\tthree'), 'one two three');
  assert.equal(clean('a\u0000b\u009b31mc\u202ed\u200be'), 'abcde');
});

test('cleaned text has no control or direction characters, whatever it was', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary', maxLength: 200 }),
      (text) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(clean(text)),
    ),
  );
});

test('wide characters take two columns, accents and colours none', () => {
  assert.equal(columnsOf('shop'), 4);
  assert.equal(columnsOf('店舗'), 4);
  assert.equal(columnsOf('e\u0301'), 1);
  assert.equal(columnsOf('\u001b[1mbold\u001b[22m'), 4);
});

test('a text is cut only where it does not fit', () => {
  assert.equal(fit('release', 7), 'release');
  assert.equal(fit('release', 6), 'relea…');
  assert.equal(fit('店舗店舗', 5), '店舗…');
  assert.equal(fit('release', 0), '');
});

test('padding counts columns', () => {
  assert.equal(padEnd('店', 4), '店  ');
  assert.equal(padStart('42', 4), '  42');
  assert.equal(padEnd('longer', 3), 'longer');
});

test('lines break between words, and inside a word only where it is longer than a line', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('abcdefghij k', 4), ['abcd', 'efgh', 'ij k']);
  assert.deepEqual(wrap('', 10), ['']);
});

test('no wrapped line is wider than asked, and no word is lost', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 300 }), fc.integer({ min: 2, max: 60 }), (text, width) => {
      const lines = wrap(clean(text), width);
      assert.ok(lines.every((line) => columnsOf(line) <= width));
      assert.equal(lines.join('').replaceAll(' ', ''), clean(text).replaceAll(' ', ''));
    }),
  );
});

test('further lines stand under the first', () => {
  assert.deepEqual(hanging('  why  ', 'the error rate of the new release is too high', 30), [
    '  why  the error rate of the',
    '       new release is too high',
  ]);
});

test('a table aligns its columns, numbers to the right', () => {
  assert.deepEqual(
    table(
      [
        ['name', 'count'],
        ['a', '1,204'],
        ['longer', '7'],
      ],
      [1],
    ),
    ['name    count', 'a       1,204', 'longer      7'],
  );
});
