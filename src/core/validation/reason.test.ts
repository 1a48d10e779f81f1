import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { cutReason, lastWords, seenText } from './reason.ts';

test('what was seen is short, quoted and on one line', () => {
  assert.equal(seenText('a\n\tb\u2028c', []), '"a b c"');
  assert.equal(seenText('x'.repeat(200), []), `"${'x'.repeat(119)}…"`);
});

test('a secret is hidden wherever it begins', () => {
  const secret = 'Bearer-s3cr3t';
  fc.assert(
    fc.property(fc.nat({ max: 300 }), fc.nat({ max: 300 }), (before, after) => {
      const seen = seenText(`${'x'.repeat(before)}${secret}${'y'.repeat(after)}`, [secret]);
      assert.doesNotMatch(seen, /Bea|s3cr|3t/);
      assert.ok(seen.length <= 122);
    }),
  );
});

test('a secret is hidden in the forms in which it is echoed', () => {
  const secret = 'Bearer s3cr3t/"x"';
  for (const echo of [secret, 's3cr3t/"x"', JSON.stringify({ secret }), `/login?back=${encodeURIComponent(secret)}`]) {
    assert.doesNotMatch(seenText(echo, [secret]), /s3cr3t/, echo);
  }
});

test('many secrets in a row leave no part of one behind', () => {
  const secret = 's3cr3t'.repeat(20);
  assert.doesNotMatch(seenText(secret.repeat(30), [secret]), /s3cr3t/);
});

test('of two secrets of which one contains the other nothing is left', () => {
  assert.equal(seenText('got abcdef', ['abc', 'abcdef', '']), '"got [REDACTED]"');
});

test('a reason is one line of at most 500 characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 2000 }), (text) => {
      const reason = cutReason(text);
      assert.ok(reason.length <= 500);
      assert.doesNotMatch(reason, /[\r\n\u2028\u2029]/);
    }),
  );
});

test('of a long output the end is kept', () => {
  assert.equal(lastWords('one\ntwo\n\n three \n', 50), 'one | two | three');
  assert.equal(lastWords('0123456789', 5), '…6789');
  assert.equal(lastWords(' \n ', 5), '');
});
