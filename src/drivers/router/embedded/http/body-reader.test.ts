import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as fc from 'fast-check';

import { BodyReader } from './body-reader.ts';

interface Read {
  readonly data: string;
  readonly rest: string;
  readonly done: boolean;
  readonly bad: string | undefined;
  readonly trailers: string;
}

/** Reads pieces of a message one after the other. */
function read(reader: BodyReader, pieces: readonly string[]): Read {
  let data = '';
  let rest = '';
  for (const piece of pieces) {
    const buffer = Buffer.from(piece, 'latin1');
    if (reader.done || reader.bad !== undefined) {
      rest += piece;
      continue;
    }
    const end = reader.read(buffer, 0);
    for (let index = 0; index < reader.ranges.length; index += 2) {
      data += buffer.toString('latin1', reader.ranges[index], reader.ranges[index + 1]);
    }
    rest += buffer.toString('latin1', end);
  }
  return { data, rest, done: reader.done, bad: reader.bad, trailers: reader.trailers };
}

const chunked = (...pieces: readonly string[]): Read => read(new BodyReader('chunked'), pieces);

const body = fc.array(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }).map((text) => Buffer.from(text).toString('latin1')),
);
const cuts = fc.array(fc.nat(400), { maxLength: 12 });

function cutAt(text: string, places: readonly number[]): string[] {
  const sorted = [...new Set(places.map((place) => Math.min(place, text.length)))].sort((a, b) => a - b);
  return [0, ...sorted].map((from, index) => text.slice(from, sorted[index] ?? text.length));
}

describe('a chunked body', () => {
  it('is the same however the network cuts it', () => {
    fc.assert(
      fc.property(body, cuts, fc.boolean(), (chunks, places, upper) => {
        const size = (text: string): string =>
          upper ? text.length.toString(16).toUpperCase() : text.length.toString(16);
        const text = `${chunks.map((chunk) => `${size(chunk)}\r\n${chunk}\r\n`).join('')}0\r\nX-Sum: 1\r\n\r\nGET`;
        const result = chunked(...cutAt(text, places));
        assert.deepEqual(result, {
          data: chunks.join(''),
          rest: 'GET',
          done: true,
          bad: undefined,
          trailers: 'X-Sum: 1\r\n',
        });
      }),
    );
  });

  it('never holds data that was not announced', () => {
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('0', '1', '5', 'a', '\r', '\n', ';', ' ', '-', '+', 'x', '_'),
          maxLength: 60,
        }),
        (text) => {
          const result = chunked(text);
          assert.ok(result.data.length <= text.length);
          if (result.done) assert.match(text, /0\r\n/);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('may have extensions, which go no further', () => {
    assert.deepEqual(chunked('3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n').data, 'abc');
  });

  const bad: readonly (readonly [string, string])[] = [
    ['no size', '\r\nabc\r\n'],
    ['a prefix', '0x3\r\nabc\r\n'],
    ['a sign', '+3\r\nabc\r\n'],
    ['a minus', '-1\r\n'],
    ['an underscore', '1_0\r\n'],
    ['a space behind the size', '3 \r\nabc\r\n'],
    ['a space before the size', ' 3\r\nabc\r\n'],
    ['a bare LF behind the size', '3\nabc\r\n'],
    ['a bare CR behind the size', '3\rabc\r\n'],
    ['a bare LF in an extension', '3;a\nabc\r\n0\r\n\r\n'],
    ['data longer than its size', '3\r\nabcd\r\n'],
    ['a bare LF behind the data', '3\r\nabc\n0\r\n\r\n'],
    ['a size beyond all memory', 'fffffffffffff\r\n'],
    ['a trailer that is no field', '0\r\nno field\r\n\r\n'],
    ['a folded trailer', '0\r\nA: b\r\n c\r\n\r\n'],
    ['a bare LF in the trailers', '0\r\nA: b\n\r\n'],
    ['a bare LF as the end', '0\r\n\n'],
    ['a length in the trailers', '0\r\nContent-Length: 5\r\n\r\n'],
    ['an encoding in the trailers', '0\r\ntransfer-encoding: chunked\r\n\r\n'],
    ['a host in the trailers', '0\r\nA: b\r\nHost: x\r\n\r\n'],
    ['endless trailers', `0\r\n${'A: b\r\n'.repeat(4000)}`],
    ['endless extensions', `3;${'a'.repeat(20_000)}`],
  ];
  for (const [what, text] of bad) {
    it(`is refused with ${what}`, () => {
      const whole = chunked(text);
      assert.notEqual(whole.bad, undefined);
      assert.equal(whole.done, false);
      assert.equal(chunked(...text.split('')).bad, whole.bad);
    });
  }
});

describe('a body of known length', () => {
  it('ends exactly there', () => {
    fc.assert(
      fc.property(fc.nat(50), fc.nat(50), cuts, (length, more, places) => {
        const text = 'a'.repeat(length) + 'b'.repeat(more);
        const result = read(new BodyReader('length', length), cutAt(text, places));
        assert.deepEqual([result.data, result.rest, result.done], ['a'.repeat(length), 'b'.repeat(more), true]);
      }),
    );
  });
});

describe('a body that ends with the connection', () => {
  it('is all that comes', () => {
    assert.deepEqual(read(new BodyReader('close'), ['ab', 'c']).data, 'abc');
  });
});
