import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { formatDuration } from '../base/duration.ts';
import { duration, percentage, share, size } from './schema/values.ts';
import { splitWords } from './words.ts';
import { parsePercentage, parseRate, parseSize } from './units.ts';

test('percentages become the nearest fraction, without the noise of a division', () => {
  assert.equal(parsePercentage('7%'), 0.07);
  assert.equal(parsePercentage('0.5 %'), 0.005);
  assert.equal(parsePercentage('100%'), 1);
  for (const text of ['7', '%', '-1%', '1e3%', '1.%', '٣%', '1%%', ' 1%', '1%\n'])
    assert.equal(parsePercentage(text), undefined, text);
});

test('every percentage with two decimals is a whole number of basis points', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 10_000 }), (points) => {
      const text = `${Math.floor(points / 100)}.${String(points % 100).padStart(2, '0')}%`;
      assert.equal(share().parse(text), points);
    }),
  );
});

test('sizes are bytes, of 1024 or of 1000', () => {
  assert.equal(parseSize('64MiB'), 67_108_864);
  assert.equal(parseSize('1.5 GiB'), 1_610_612_736);
  assert.equal(parseSize('500kB'), 500_000);
  assert.equal(parseSize('0B'), 0);
  for (const text of ['64', '64M', '64mib', '0.5B', '-1MiB', '999999999TiB', 'MiB'])
    assert.equal(parseSize(text), undefined, text);
});

test('rates are per second', () => {
  assert.equal(parseRate('10/s'), 10);
  assert.equal(parseRate('90/m'), 1.5);
  assert.equal(parseRate('3600 / h'), 1);
  for (const text of ['10', '10/d', '/s', '-1/s']) assert.equal(parseRate(text), undefined, text);
});

test('a duration that is formatted and read again is the same, to the second', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1_000_000 }), (seconds) => {
      assert.equal(duration().parse(formatDuration(seconds * 1000)), seconds * 1000);
    }),
  );
});

test('any text is a whole number of milliseconds within the bounds, or refused', () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[0-9.msdh]{0,30}$/));
  fc.assert(
    fc.property(text, (value) => {
      const result = duration().safeParse(value);
      assert.ok(
        !result.success || (Number.isSafeInteger(result.data) && result.data >= 0 && result.data <= 1_728_000_000),
      );
    }),
  );
});

test('parts of a millisecond are rounded', () => {
  assert.equal(duration().parse('1.4ms'), 1);
  assert.equal(duration().parse('1m1.5s'), 61_500);
});

const wrong = [
  [duration(), 300, 'is not a duration', 'Add the unit: 300s for seconds, 300ms for milliseconds.'],
  [duration(), '300', 'is not a duration', 'Add the unit: 300s for seconds, 300ms for milliseconds.'],
  [duration(), '5 minutes', 'is not a duration', 'Write it with its unit, such as 30s.'],
  [duration(), '30d', 'is too long', 'Write at most 20d.'],
  [duration({ leastMs: 1000 }), '5ms', 'is too short', 'Write between 1s and 20d.'],
  [percentage(), 5, 'is not a percentage', 'Add the unit: 5%.'],
  [percentage(), 0.05, 'is not a percentage', 'Add the unit: 0.05% (or 5%).'],
  [percentage(), '500%', 'is too much', 'Write at most 100%.'],
  [share(), '0%', 'is no share', 'Write more than 0% and at most 100%.'],
  [share(), '0.001%', 'is too fine', 'Write steps of 0.01%.'],
  [size({ least: '1KiB', most: '1MiB' }), 64, 'is not a size', 'Add the unit: 64MiB, 64KiB or 64B.'],
  [size({ least: '1KiB', most: '1MiB' }), '1GiB', 'is out of range', 'Write 1KiB to 1MiB.'],
] as const;

for (const [schema, value, problem, remedy] of wrong) {
  test(`${JSON.stringify(value)} ${problem}: ${remedy}`, () => {
    const [issue] = schema.safeParse(value).error?.issues ?? [];
    assert.deepEqual(splitWords(issue?.message ?? ''), { problem, remedy });
  });
}
