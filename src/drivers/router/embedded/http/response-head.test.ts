import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { parseResponseHead } from './response-head.ts';

const parse = (...lines: readonly string[]): ReturnType<typeof parseResponseHead> =>
  parseResponseHead([...lines, '', ''].join('\r\n'));

describe('the head of an answer', () => {
  it('is read into its parts, without the fields of one hop', () => {
    assert.deepEqual(
      parse(
        'HTTP/1.1 200 Very OK',
        'Content-Length: 5',
        'Connection: keep-alive, X-Hop',
        'X-Hop: 1',
        'Keep-Alive: timeout=7, max=5',
        'X-A: 1',
      ),
      {
        status: 200,
        reason: 'Very OK',
        lines: 'Content-Length: 5\r\nX-A: 1\r\n',
        chunked: false,
        length: 5,
        keepAlive: true,
        keepAliveMs: 7000,
        upgrade: undefined,
      },
    );
  });

  it('may have no reason, no length, or close the connection', () => {
    const bare = parse('HTTP/1.1 204', 'Content-Length: 0');
    assert.deepEqual([bare?.status, bare?.reason, bare?.lines], [204, '', '']);
    assert.equal(parse('HTTP/1.1 200 OK', 'Connection: close')?.keepAlive, false);
    assert.equal(parse('HTTP/1.0 200 OK', 'Connection: keep-alive')?.keepAlive, false);
    assert.equal(parse('HTTP/1.1 200 OK')?.length, undefined);
    assert.equal(parse('HTTP/1.1 200 OK', 'Transfer-Encoding: chunked')?.chunked, true);
  });

  const bad: readonly (readonly [string, readonly string[]])[] = [
    ['length and chunks', ['HTTP/1.1 200 OK', 'Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['two lengths', ['HTTP/1.1 200 OK', 'Content-Length: 5', 'Content-Length: 6']],
    ['an unknown encoding', ['HTTP/1.1 200 OK', 'Transfer-Encoding: gzip']],
    ['chunks in HTTP/1.0', ['HTTP/1.0 200 OK', 'Transfer-Encoding: chunked']],
    ['a folded line', ['HTTP/1.1 200 OK', 'X: 1', ' y']],
    ['a bare LF', ['HTTP/1.1 200 OK', 'X: 1\nSet-Cookie: a=b']],
    ['a status of two digits', ['HTTP/1.1 20 OK']],
    ['another protocol', ['ICY 200 OK']],
    ['HTTP/2', ['HTTP/2 200 OK']],
  ];
  for (const [what, lines] of bad) it(`is refused with ${what}`, () => assert.equal(parse(...lines), undefined));
});
