import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as hold, integer, property } from 'fast-check';

import { Frames } from './frames.ts';

/** What a reader makes of the bytes, in chunks of this size; undefined where it gives up. */
function read(bytes: string, chunk = 7): readonly string[] | undefined {
  const lines: string[] = [];
  const frames = new Frames(20, (line) => lines.push(line));
  for (let at = 0; at < bytes.length; at += chunk) {
    if (!frames.push(Buffer.from(bytes.slice(at, at + chunk), 'latin1'))) return undefined;
  }
  return lines;
}

describe('a stream of syslog messages', () => {
  it('is cut at line ends', () => assert.deepEqual(read('<1>one\n<2>two\n<3>thr'), ['<1>one', '<2>two']));

  it('is cut by lengths', () => assert.deepEqual(read('6 <1>one7 <2>two\n4 <3>4'), ['<1>one', '<2>two', '<3>4']));

  it('goes on behind a message that is too long', () => {
    assert.deepEqual(
      read(`${'x'.repeat(50)}\n<2>two\n`)?.map((line) => line.length),
      [21, 6],
    );
    assert.deepEqual(
      read(`50 ${'x'.repeat(50)}6 <2>two`, 100)?.map((line) => line.length),
      [21, 6],
    );
  });

  it('is given up when a length is none', () => {
    assert.equal(read('12345678 <1>one'), undefined);
    assert.equal(read('1x <1>one'), undefined);
  });

  it('gives the same lines however it is cut into chunks', () => {
    const bytes = '<1>one\n7 <2>two\n<3>three\n6 <4>fou';
    hold(property(integer({ min: 1, max: 40 }), (chunk) => assert.deepEqual(read(bytes, chunk), read(bytes, 1))));
  });
});
