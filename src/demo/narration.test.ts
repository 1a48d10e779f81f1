// The narrator's words stand behind a bar, wrapped; commands stand as they would be typed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { look } from '../cli/render/fixture-look.ts';
import { colourPaint } from '../cli/render/paint.ts';
import { columnsOf } from '../cli/render/text.ts';
import { renderAct, renderCommand, renderResult, spoken, trafficWords } from './narration.ts';

test('an act has its position, its title and what is about to happen', () => {
  assert.deepEqual(renderAct('4 of 7', 'A canary that fails', 'v4 is healthy.', look()), [
    '',
    '┃ 4 of 7  A canary that fails',
    '┃',
    '┃ v4 is healthy.',
  ]);
});

test('a command shows where it is typed', () => {
  assert.deepEqual(renderCommand('shop/v4', 'sluice deploy --label v4', look()), [
    '',
    'shop/v4 $ sluice deploy --label v4',
  ]);
});

test('no line of the narrator is wider than the terminal, coloured or not', () => {
  const words = 'visitors ask for pages again and again '.repeat(8).trim();
  for (const width of [40, 79, 100]) {
    const narrow = look(0, { width, paint: colourPaint });
    const lines = [
      ...spoken([words], narrow),
      ...renderResult(false, words, narrow),
      ...renderAct('1', 'x', words, narrow),
    ];
    for (const line of lines) assert.ok(columnsOf(line) <= width, `${columnsOf(line)} columns: ${line}`);
  }
});

test('traffic is told with who answered it', () => {
  const share = (requests: number) => ({ requests, faults: 0, lastBegunAt: 0 });
  const totals = { requests: 1204, failed: 1, losses: [], versions: { v1: share(612), v2: share(591) } };
  assert.equal(trafficWords('meanwhile', totals), '1,204 requests meanwhile, 1 failed: 612 answered by v1, 591 by v2');
  assert.equal(trafficWords('meanwhile', { ...totals, versions: {} }), '1,204 requests meanwhile, 1 failed');
});
