import assert from 'node:assert/strict';
import test from 'node:test';

import { bytes, count, counted, lasted, latency, moment, percent, perSecond, stamp, zoneName } from './units.ts';

const at = Date.UTC(2026, 10, 21, 23, 4, 10);
const berlin = (): number => 60;
const newfoundland = (): number => -210;

test('numbers are grouped, and nouns follow their number', () => {
  assert.equal(count(1_234_567), '1,234,567');
  assert.equal(counted(1, 'instance'), '1 instance');
  assert.equal(counted(1200, 'request'), '1,200 requests');
});

test('a rate that is not nothing never reads as nothing', () => {
  assert.equal(percent(0), '0 %');
  assert.equal(percent(0.00001), '<0.01 %');
  assert.equal(percent(0.0008), '0.08 %');
  assert.equal(percent(0.125), '12.5 %');
  assert.equal(percent(1), '100 %');
});

test('latencies, rates and sizes are as exact as people need', () => {
  assert.deepEqual([0.42, 41.4, 1250, undefined].map(latency), ['0.4 ms', '41 ms', '1.25 s', '-']);
  assert.deepEqual([0.44, 184.3].map(perSecond), ['0.4/s', '184/s']);
  assert.deepEqual([512, 1536, 73_400_320].map(bytes), ['512 B', '1.5 KiB', '70 MiB']);
});

test('durations get coarser as they get longer, and are never negative', () => {
  assert.deepEqual([-5, 38, 4230, 42_700, 185_000, 7_395_000, 351_000_000].map(lasted), [
    '0ms',
    '38ms',
    '4.2s',
    '42s',
    '3m5s',
    '2h3m',
    '4d1h',
  ]);
});

test('times are told in the zone, with the date where it is another day there', () => {
  assert.equal(stamp(at, berlin), '2026-11-22 00:04:10');
  assert.equal(moment(at, at + 60_000, berlin), '00:04:10');
  assert.equal(moment(at, at + 86_400_000, berlin), '2026-11-22 00:04:10');
  assert.equal(zoneName(at, berlin), 'UTC+01:00');
  assert.equal(zoneName(at, newfoundland), 'UTC-03:30');
});

test('a time that no calendar has is no reason to fail', () => {
  assert.equal(stamp(Number.NaN, berlin), 'unknown time');
  assert.equal(stamp(1e18, berlin), 'unknown time');
});
