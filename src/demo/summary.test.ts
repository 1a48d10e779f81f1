// The summary tells what was broken, and a broken promise is never a success.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { look } from '../cli/render/fixture-look.ts';
import { asciiGlyphs } from '../cli/render/paint.ts';
import { allKept, renderSummary, type Summary } from './summary.ts';

const kept: Summary = {
  tookMs: 43_210,
  requests: 8491,
  failed: 0,
  losses: [],
  badCanary: { requests: 21, errors: 3 },
  backMs: 32,
  rollbackMs: 15,
  withoutController: { durationMs: 3080, requests: 616, failed: 0 },
  promises: ['v1 is the stable release', 'v2 is the stable release'].map((words) => ({ words, kept: true })),
  record: '/tmp/sluice-record/demo.json',
};

test('the summary shows every figure and where the record lies', () => {
  assert.deepEqual(renderSummary(kept, look(0, { width: 100 })), [
    '',
    '┃ What it cost the visitors',
    '┃',
    '┃ requests sent                                    8,491  the demo took 43 s',
    '┃ failed because of the deploying                      0',
    '┃ errors that the bad canary could serve               3  it got 21 requests, 0.25 % of all',
    '┃ from that decision to all traffic on stable      32 ms',
    '┃ from the order to roll back to all traffic back  15 ms',
    '┃ requests while no controller ran                   616  in 3.1 s; 0 failed',
    '┃',
    '┃ ✓ All 2 promises were kept.',
    '┃',
    '┃ The record of it all, every decision with its evidence:',
    '┃ /tmp/sluice-record/demo.json',
  ]);
});

test('without Unicode the bar is plain', () => {
  const lines = renderSummary(kept, look(0, { glyphs: asciiGlyphs }));
  assert.ok(lines.every((line) => /^[ -~]*$/.test(line)));
});

test('a failed request, a broken promise and an early end are no success, and each is named', () => {
  const failed: Summary = { ...kept, failed: 1, losses: [{ at: 0, reason: 'ECONNRESET' }] };
  const broken: Summary = { ...kept, promises: [{ words: 'v4 was taken out by itself', kept: false }] };
  const ended: Summary = { ...kept, problem: 'The demo could not go on: no answer' };
  assert.equal(allKept(kept), true);
  for (const [summary, words] of [
    [failed, 'failed at 1970-01-01T00:00:00.000Z: ECONNRESET'],
    [broken, '✗ Not kept: v4 was taken out by itself'],
    [ended, '✗ The demo could not go on: no answer'],
  ] as const) {
    assert.equal(allKept(summary), false);
    const text = renderSummary(summary, look()).join('\n');
    assert.ok(text.includes(words), text);
    assert.equal(text.includes('promises were kept'), summary === failed);
  }
});

test('an end before anything happened has a summary, too', () => {
  const { backMs: _, rollbackMs: __, withoutController: ___, record: ____, ...rest } = kept;
  const nothing: Summary = { ...rest, requests: 0, badCanary: { requests: 0, errors: 0 }, problem: 'nothing began' };
  assert.ok(renderSummary(nothing, look()).some((line) => /requests sent +0/.test(line)));
});
