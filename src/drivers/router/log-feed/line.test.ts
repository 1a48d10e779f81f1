import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { assert as hold, oneof, property, string } from 'fast-check';

import { isOurs, parseLine } from './line.ts';

const token = 'feed1234feed1234';
const good = `sluice1 ${token} 1732181531.123s s2 127.0.0.1:20001 200 0.034s share instance`;

describe('a line of the feed', () => {
  it('is read with and without a syslog header', () => {
    const expected = {
      at: 1_732_181_531_123,
      place: 's2',
      server: '127.0.0.1:20001',
      status: 200,
      latencyMs: 34,
      via: 'share',
      origin: 'instance',
    };
    assert.deepEqual(parseLine(good, token), expected);
    assert.deepEqual(parseLine(`<190>Nov 21 09:32:11 host sluice: ${good}`, token), expected);
  });

  it('may lack time, place and server, and give milliseconds', () => {
    const line = parseLine(`sluice1 ${token} - - - 499 12ms preview router`, token);
    assert.deepEqual([line?.at, line?.place, line?.server, line?.latencyMs], [undefined, undefined, undefined, 12]);
  });

  for (const [what, text] of [
    ['another token', good.replace(token, 'feed1234feed1235')],
    ['a token that only begins alike', good.replace(token, `${token}0`)],
    ['a field too few', good.replace(' share', '')],
    ['a field too many', `${good} more`],
    ['two spaces', good.replace(' 200', '  200')],
    ['no number as status', good.replace(' 200 ', ' 2x0 ')],
    ['a latency without unit', good.replace('0.034s', '0.034')],
    ['an unknown way', good.replace('share', 'luck')],
    ['control characters', good.replace('s2', 's\u00012')],
    ['too much before it', `${'x'.repeat(300)}${good}`],
    ['too much behind it', `${good}${' '.repeat(2000)}`],
  ] as const) {
    it(`is refused with ${what}`, () => assert.equal(parseLine(text, token), undefined));
  }

  it('never throws, whatever comes', () => {
    hold(
      property(
        oneof(
          string(),
          string().map((text) => `sluice1 ${token} ${text}`),
        ),
        (text) => {
          parseLine(text, token);
          isOurs(text, token);
        },
      ),
    );
  });
});
