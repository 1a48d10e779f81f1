import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVariablesFile } from './variables-file.ts';

function read(text: string): Record<string, string> {
  return Object.fromEntries([...readVariablesFile(text).variables].map(([name, { text }]) => [name, text]));
}

test('lines are read as Compose reads them', () => {
  const text = [
    '\uFEFF# comment',
    '',
    'PLAIN=value',
    'export EXPORTED=yes',
    'SPACES = around ',
    'EMPTY=',
    'HASH=abc#def',
    'COMMENT=abc # def',
    "SINGLE='a $B \\n # c'",
    'DOUBLE="a\\nb \\"q\\" # c" # comment',
    'COLON: value',
    'EQUALS=a=b=c',
    'MULTI="one',
    'two"',
    'NUMBER_SIGN=#secret',
    'ALMOST_EMPTY= #secret',
    'TAB=a\t#b',
    "APOSTROPHE='it\\'s' # comment",
    "BACKSLASH='\\\\'",
    'BELL="\\a\\b\\f\\v\\z"',
    'LAST=1\r',
  ].join('\n');
  assert.deepEqual(read(text), {
    PLAIN: 'value',
    EXPORTED: 'yes',
    SPACES: 'around',
    EMPTY: '',
    HASH: 'abc#def',
    COMMENT: 'abc',
    SINGLE: 'a $B \\n # c',
    DOUBLE: 'a\nb "q" # c',
    COLON: 'value',
    EQUALS: 'a=b=c',
    MULTI: 'one\ntwo',
    NUMBER_SIGN: '#secret',
    ALMOST_EMPTY: '#secret',
    TAB: 'a\t#b',
    APOSTROPHE: "it's",
    BACKSLASH: '\\\\',
    BELL: '\u0007\b\f\v\\z',
    LAST: '1',
  });
});

test('only single quotes keep variables out', () => {
  const { variables } = readVariablesFile(`A=$B\nC='$B'\nD="$B \\$E"`);
  assert.deepEqual(
    [...variables].map(([name, { text, expands }]) => [name, text, expands]),
    [
      ['A', '$B', true],
      ['C', '$B', false],
      ['D', '$B $$E', true],
    ],
  );
});

test('a name alone takes the value of the environment', () => {
  assert.deepEqual(readVariablesFile('A\nB=1\nexport C').inherited, ['A', 'C']);
});

test('the first line that cannot be read is named', () => {
  assert.deepEqual(readVariablesFile('A=1\nnot a line\n').problem, { line: 2, message: 'is not NAME=value' });
  assert.deepEqual(readVariablesFile('A=1\nB="open').problem, { line: 2, message: 'has a quote that does not end' });
  for (const rest of ['"b"c', "'b'c", '"b" C=1', '"b\nc"d']) {
    const problem = { line: 1, message: 'has something behind the end of its quote' };
    assert.deepEqual(readVariablesFile(`A=${rest}`).problem, problem);
  }
});
