// The last lines of an instance are shown as they were written, and cannot act on the terminal.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FailureData } from '../../base/failure.ts';
import { look } from './fixture-look.ts';
import { renderLastLines } from './last-lines.ts';

function crash(details: FailureData['details']): FailureData {
  return { code: 'instance.crashed', message: 'shop-1 ended by itself', remedy: 'Read its log.', details };
}

test('last lines keep their indentation and stand under each other behind the heading', () => {
  const failure = crash({ lastLines: ['Error: no address', '    at main.js:3'] });
  assert.deepEqual(renderLastLines(failure, '  wrote  ', look()), [
    '  wrote  Error: no address',
    '             at main.js:3',
  ]);
});

test('last lines are cut at the width, and what acts on a terminal is left out', () => {
  const failure = crash({ lastLines: ['\u001b[2Jgone', 'x'.repeat(500)] });
  assert.deepEqual(renderLastLines(failure, '  wrote  ', look(0, { width: 20 })), [
    '  wrote  gone',
    `         ${'x'.repeat(10)}…`,
  ]);
});

test('a failure without last lines, or with something else in their place, shows none', () => {
  assert.deepEqual(renderLastLines(crash(undefined), '  wrote  ', look()), []);
  assert.deepEqual(renderLastLines(crash({ lastLines: 'text' }), '  wrote  ', look()), []);
  assert.deepEqual(renderLastLines(crash({ lastLines: [7] }), '  wrote  ', look()), []);
});
