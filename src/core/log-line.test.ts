import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cutLine, maxLineBytes } from './log-line.ts';

test('a line of exactly the limit stays as it is', () => {
  assert.equal(cutLine('x'.repeat(maxLineBytes)), 'x'.repeat(maxLineBytes));
});

test('a longer line is cut, and the mark counts for the limit', () => {
  const cut = cutLine('x'.repeat(maxLineBytes + 1));
  assert.equal(cut, `${'x'.repeat(maxLineBytes - 3)}…`);
});

test('a character of several bytes is never cut in two', () => {
  for (const lead of ['', 'a', 'ab', 'abc']) {
    const cut = cutLine(lead + '💧'.repeat(maxLineBytes));
    assert.ok(Buffer.byteLength(cut) <= maxLineBytes);
    assert.match(cut, /^[abc]*💧+…$/u);
  }
});
