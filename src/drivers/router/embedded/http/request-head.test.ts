import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { Refusal } from './fields.ts';
import { clientFacts, localName, requestHeadText } from './forward.ts';
import { parseRequestHead, type RequestHead } from './request-head.ts';

const head = (...lines: readonly string[]): string => [...lines, '', ''].join('\r\n');

function accepted(...lines: readonly string[]): RequestHead {
  const parsed = parseRequestHead(head(...lines));
  assert.ok(!(parsed instanceof Refusal), parsed instanceof Refusal ? parsed.reason : '');
  return parsed;
}

function refused(...lines: readonly string[]): number {
  const parsed = parseRequestHead(head(...lines));
  assert.ok(parsed instanceof Refusal, `accepted: ${JSON.stringify(lines)}`);
  return parsed.status;
}

describe('a request head', () => {
  it('is read into its parts, fields in their order and spelling', () => {
    const parsed = accepted(
      'GET /a?b=c HTTP/1.1',
      'Host: shop.test:8080',
      'X-One: 1',
      'x-TWO:  2 ',
      'Cookie: a=b',
      'Cookie: c=d',
    );
    assert.deepEqual(
      [
        parsed.method,
        parsed.target,
        parsed.minor,
        parsed.host,
        parsed.keepAlive,
        parsed.chunked,
        parsed.length,
        parsed.cookies,
      ],
      ['GET', '/a?b=c', 1, 'shop.test:8080', true, false, 0, 'a=b; c=d'],
    );
    assert.equal(parsed.lines, 'X-One: 1\r\nx-TWO:  2 \r\nCookie: a=b\r\nCookie: c=d\r\n');
    assert.deepEqual(parsed.headerValues('x-two'), ['2']);
    assert.deepEqual(parsed.headerValues('x-none'), []);
  });

  it('loses the fields of one hop, and those that Connection names', () => {
    const parsed = accepted(
      'GET / HTTP/1.1',
      'Host: x',
      'Connection: keep-alive, X-Secret',
      'Keep-Alive: timeout=5',
      'X-Secret: 1',
      'Proxy-Connection: keep-alive',
      'Proxy-Authorization: Basic eDp5',
      'Proxy: http://evil',
      'TE: gzip',
      'Upgrade: websocket',
      'X-Kept: 1',
    );
    assert.equal(parsed.lines, 'X-Kept: 1\r\n');
    assert.equal(parsed.upgrade, undefined);
  });

  it('keeps what the message itself needs, even when Connection names it', () => {
    const parsed = accepted(
      'POST / HTTP/1.1',
      'Host: x',
      'Connection: Content-Length, Host, Cookie',
      'Content-Length: 5',
      'Cookie: a=b',
    );
    assert.equal(parsed.lines, 'Content-Length: 5\r\nCookie: a=b\r\n');
    assert.equal(parsed.host, 'x');
  });

  it('says whether the connection stays open', () => {
    assert.equal(accepted('GET / HTTP/1.1', 'Host: x', 'Connection: Close').keepAlive, false);
    assert.equal(accepted('GET / HTTP/1.0').keepAlive, false);
    assert.equal(accepted('GET / HTTP/1.0', 'Connection: Keep-Alive').keepAlive, true);
  });

  it('asks for an upgrade only where that is safe', () => {
    const upgrade = ['Host: x', 'Connection: keep-alive, Upgrade'];
    assert.equal(accepted('GET / HTTP/1.1', ...upgrade, 'Upgrade: websocket').upgrade, 'websocket');
    assert.equal(accepted('GET / HTTP/1.1', ...upgrade, 'Upgrade: h2c').upgrade, undefined);
    assert.equal(accepted('GET / HTTP/1.1', ...upgrade, 'Upgrade: websocket, h2c').upgrade, undefined);
    assert.equal(accepted('POST / HTTP/1.1', ...upgrade, 'Upgrade: websocket', 'Content-Length: 3').upgrade, undefined);
    assert.equal(accepted('GET / HTTP/1.0', ...upgrade, 'Upgrade: websocket').upgrade, undefined);
  });

  it('takes the host of an absolute target for its own', () => {
    const parsed = accepted('GET http://real.test/a?b HTTP/1.1', 'Host: other.test');
    assert.deepEqual([parsed.target, parsed.host], ['/a?b', 'real.test']);
    assert.equal(accepted('GET http://real.test HTTP/1.1', 'Host: x').target, '/');
    assert.equal(accepted('GET http://real.test?q HTTP/1.1', 'Host: x').target, '/?q');
    assert.equal(accepted('OPTIONS * HTTP/1.1', 'Host: x').target, '*');
  });

  const host = 'Host: x';
  const cases: readonly (readonly [string, number, readonly string[]])[] = [
    ['two lengths that differ', 400, ['POST / HTTP/1.1', host, 'Content-Length: 5', 'Content-Length: 6']],
    ['two lengths that agree', 400, ['POST / HTTP/1.1', host, 'Content-Length: 5', 'Content-Length: 5']],
    ['a list of lengths', 400, ['POST / HTTP/1.1', host, 'Content-Length: 5, 5']],
    ['a signed length', 400, ['POST / HTTP/1.1', host, 'Content-Length: +5']],
    ['a negative length', 400, ['POST / HTTP/1.1', host, 'Content-Length: -5']],
    ['a hexadecimal length', 400, ['POST / HTTP/1.1', host, 'Content-Length: 0x5']],
    ['an empty length', 400, ['POST / HTTP/1.1', host, 'Content-Length: ']],
    ['a length beyond all numbers', 400, ['POST / HTTP/1.1', host, 'Content-Length: 99999999999999999999']],
    ['length and chunks', 400, ['POST / HTTP/1.1', host, 'Content-Length: 5', 'Transfer-Encoding: chunked']],
    ['chunks and length', 400, ['POST / HTTP/1.1', host, 'Transfer-Encoding: chunked', 'Content-Length: 5']],
    ['chunks twice', 400, ['POST / HTTP/1.1', host, 'Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['chunks and something', 501, ['POST / HTTP/1.1', host, 'Transfer-Encoding: gzip, chunked']],
    ['an unknown encoding', 501, ['POST / HTTP/1.1', host, 'Transfer-Encoding: xchunked']],
    ['a disguised encoding', 501, ['POST / HTTP/1.1', host, 'Transfer-Encoding: chunked\u00a0']],
    ['an encoding with a tab in it', 501, ['POST / HTTP/1.1', host, 'Transfer-Encoding: chu\tnked']],
    ['chunks in HTTP/1.0', 400, ['POST / HTTP/1.0', 'Transfer-Encoding: chunked']],
    ['a space before the colon', 400, ['POST / HTTP/1.1', host, 'Content-Length : 5']],
    ['a tab before the colon', 400, ['POST / HTTP/1.1', host, 'Transfer-Encoding\t: chunked']],
    ['a folded line', 400, ['POST / HTTP/1.1', host, 'X: 1', ' Transfer-Encoding: chunked']],
    ['a space before the first field', 400, ['POST / HTTP/1.1', ' Host: x']],
    ['a line without a colon', 400, ['GET / HTTP/1.1', host, 'X-One']],
    ['a field without a name', 400, ['GET / HTTP/1.1', host, ': 1']],
    ['a bare LF', 400, ['GET / HTTP/1.1', host, 'X: 1\nTransfer-Encoding: chunked']],
    ['a bare CR', 400, ['GET / HTTP/1.1', host, 'X: 1\rTransfer-Encoding: chunked']],
    ['a NUL', 400, ['GET / HTTP/1.1', host, 'X: 1\u0000']],
    ['two hosts', 400, ['GET / HTTP/1.1', host, 'Host: y']],
    ['no host', 400, ['GET / HTTP/1.1']],
    ['a host with a path', 400, ['GET / HTTP/1.1', 'Host: x/y']],
    ['a host with a quote', 400, ['GET / HTTP/1.1', 'Host: x"y']],
    ['a target without a slash', 400, ['GET a HTTP/1.1', host]],
    ['a space in the target', 400, ['GET /a b HTTP/1.1', host]],
    ['a user in the target', 400, ['GET http://user@x/ HTTP/1.1', host]],
    ['two spaces', 400, ['GET  / HTTP/1.1', host]],
    ['a tab', 400, ['GET\t/ HTTP/1.1', host]],
    ['no version', 400, ['GET /']],
    ['HTTP/2', 505, ['PRI * HTTP/2.0']],
    ['HTTP/0.9 in disguise', 505, ['GET / HTTP/0.9']],
    ['CONNECT', 405, ['CONNECT x:443 HTTP/1.1', host]],
    ['another expectation', 417, ['GET / HTTP/1.1', host, 'Expect: miracles']],
  ];
  for (const [what, status, lines] of cases) {
    it(`is refused with ${what}`, () => assert.equal(refused(...lines), status));
  }
});

describe('a forwarded head', () => {
  const client = clientFacts('::ffff:192.0.2.1', 'https', '10.0.0.1:443');

  it('says who the client is, whatever the client says', () => {
    const parsed = accepted(
      'GET / HTTP/1.1',
      'Host: shop.test',
      'X-Forwarded-For: 1.1.1.1',
      'X-Forwarded-Proto: gopher',
      'X-Forwarded-Host: evil.test',
      'Forwarded: for=1.1.1.1',
      'Accept: */*',
    );
    assert.equal(
      requestHeadText(parsed, client, false),
      head(
        'GET / HTTP/1.1',
        'Host: shop.test',
        'Accept: */*',
        'X-Forwarded-For: 192.0.2.1',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Host: shop.test',
        'Forwarded: for=192.0.2.1;host="shop.test";proto=https',
      ),
    );
  });

  it('adds to what a trusted proxy said', () => {
    const parsed = accepted(
      'GET / HTTP/1.1',
      'Host: inner',
      'X-Forwarded-For: 1.1.1.1',
      'X-Forwarded-For: 2.2.2.2',
      'X-Forwarded-Proto: https',
      'X-Forwarded-Host: shop.test',
      'Forwarded: for=1.1.1.1',
    );
    assert.equal(
      requestHeadText(parsed, clientFacts('2001:db8::1', 'http', ''), true),
      head(
        'GET / HTTP/1.1',
        'Host: inner',
        'X-Forwarded-For: 1.1.1.1, 2.2.2.2, 2001:db8::1',
        'X-Forwarded-Proto: https',
        'X-Forwarded-Host: shop.test',
        'Forwarded: for=1.1.1.1, for="[2001:db8::1]";host="inner";proto=http',
      ),
    );
  });

  it('throws away what only a proxy may say about a client, in each of its spellings', () => {
    const claims = [
      'X-Forwarded-Port: 443',
      'X-Forwarded-Prefix: /admin',
      'x-forwarded-: 1',
      'X-Forwarded: for=1.1.1.1',
      'X-REAL-IP: 1.1.1.1',
      'x_real_ip: 1.1.1.1',
      'X_Forwarded_For: 1.1.1.1',
      'x-forwarded_proto: https',
      'X_Forwarded-Host: evil',
    ];
    const kept = ['X-Real-Ipod: 1', 'X-Forward: 1', 'X-Note: x-real-ip: 1', 'Some_Field: 1'];
    const lines = ['GET / HTTP/1.1', 'Host: x', ...claims.slice(0, 5), ...kept, ...claims.slice(5)];
    const own = ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-Proto: https', 'X-Forwarded-Host: x'];
    assert.equal(
      requestHeadText(accepted(...lines), client, false),
      head('GET / HTTP/1.1', 'Host: x', ...kept, ...own, 'Forwarded: for=192.0.2.1;host="x";proto=https'),
    );
    assert.match(requestHeadText(accepted(...lines), client, true), /\r\nX-Forwarded-Port: 443\r\n/);
  });

  it('names an address of IPv6 in brackets where the client names no Host', () => {
    const facts = clientFacts('::1', 'http', localName('2001:db8::1', 8080));
    assert.match(requestHeadText(accepted('GET / HTTP/1.0'), facts, false), /\r\nHost: \[2001:db8::1\]:8080\r\n/);
    assert.equal(localName('::ffff:192.0.2.1', 80), '192.0.2.1:80');
  });

  it('frames the body as the client did, and asks for trailers and upgrades itself', () => {
    const chunked = accepted('POST / HTTP/1.1', 'Host: x', 'Transfer-Encoding: Chunked', 'TE: trailers;q=1, trailers');
    assert.match(
      requestHeadText(chunked, client, false),
      /\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\nConnection: TE\r\n/,
    );
    const socket = accepted('GET / HTTP/1.1', 'Host: x', 'Connection: upgrade', 'Upgrade: websocket');
    assert.match(requestHeadText(socket, client, false), /\r\nConnection: upgrade\r\nUpgrade: websocket\r\n/);
    assert.match(
      requestHeadText(accepted('GET / HTTP/1.0'), client, false),
      /^GET \/ HTTP\/1.1\r\nHost: 10.0.0.1:443\r\n/,
    );
  });
});
