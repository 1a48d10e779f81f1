// Whatever the text, the parser returns a configuration or throws a failure.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Failure } from '../base/failure.ts';
import { parseConfig } from './parse.ts';

test('no text makes the parser throw anything but a failure', () => {
  const words = [
    'service',
    'release',
    '{',
    '}',
    '[',
    ']',
    ':',
    ' ',
    '\n',
    '- ',
    '&a',
    '*a',
    '!!x',
    '"',
    '1%',
    '__proto__',
    '<<',
    '|',
    '? ',
    '~',
  ];
  const yamlish = fc
    .array(fc.oneof(fc.constantFrom(...words), fc.string()), { maxLength: 60 })
    .map((parts) => parts.join(''));
  fc.assert(
    fc.property(yamlish, (text) => assert.ok(parsesOrFails(text))),
    { numRuns: 500 },
  );
});

test('no value of any setting makes the parser throw anything but a failure', () => {
  const names = [
    'release',
    'env',
    'instances',
    'health',
    'validate',
    'strategy',
    'gates',
    'watch',
    'router',
    'environments',
  ];
  const settings = fc.dictionary(fc.constantFrom(...names), fc.jsonValue({ maxDepth: 5 }));
  fc.assert(
    fc.property(settings, (value) => assert.ok(parsesOrFails(JSON.stringify({ service: 'shop', ...value })))),
    { numRuns: 500 },
  );
});

function parsesOrFails(text: string): boolean {
  try {
    parseConfig(text, 'sluice.yaml');
    return true;
  } catch (thrown) {
    if (thrown instanceof Failure) return ['config.invalid', 'config.syntax', 'release.mutable'].includes(thrown.code);
    throw thrown;
  }
}
