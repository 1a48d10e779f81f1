// Requests that two parsers could read in two ways must not reach an instance. The instance here is Node's own HTTP server.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import * as fc from 'fast-check';

import { Bench, group, raw, routesOf, type TestProxy, until } from '../harness.ts';

const bench = new Bench();
let seen: string[] = [];
let test: TestProxy;

before(async () => {
  const instance = await bench.instance('old-1', (request, response) => {
    const at = seen.push(`${request.method} ${request.url}`) - 1;
    let body = '';
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString('latin1');
    });
    request.on('end', () => {
      seen[at] += ` ${body}`;
      response.end('ok');
    });
  });
  instance.server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // Methods that Node does not know, and requests that the proxy broke off, are no misunderstanding.
    if (error.code !== 'HPE_INVALID_METHOD' && error.code !== 'ECONNRESET') seen.push(`misunderstood: ${error.code}`);
    socket.destroy();
  });
  test = await bench.proxy(routesOf(1, [group('old', 10_000, instance)]));
});
after(() => bench.end());

const crlf = (...lines: readonly string[]): string => lines.join('\r\n');
const smuggled = crlf('GET /smuggled HTTP/1.1', 'Host: x', '', '');

describe('a request that is refused', () => {
  const cases: readonly (readonly [string, string])[] = [
    [
      'CL.TE',
      crlf('POST / HTTP/1.1', 'Host: x', 'Content-Length: 6', 'Transfer-Encoding: chunked', '', '0', '', smuggled),
    ],
    [
      'TE.CL',
      crlf(
        'POST / HTTP/1.1',
        'Host: x',
        'Transfer-Encoding: chunked',
        'Content-Length: 4',
        '',
        '5c',
        smuggled,
        '0',
        '',
        '',
      ),
    ],
    [
      'CL.CL',
      crlf('POST / HTTP/1.1', 'Host: x', 'Content-Length: 0', `Content-Length: ${smuggled.length}`, '', smuggled),
    ],
    [
      'TE.TE',
      crlf(
        'POST / HTTP/1.1',
        'Host: x',
        'Transfer-Encoding: xchunked',
        'Transfer-Encoding: chunked',
        '',
        '0',
        '',
        smuggled,
      ),
    ],
    [
      'a space before the colon',
      crlf('POST / HTTP/1.1', 'Host: x', `Content-Length : ${smuggled.length}`, '', smuggled),
    ],
    ['a folded line', crlf('POST / HTTP/1.1', 'Host: x', 'X: 1', ' Transfer-Encoding: chunked', '', '0', '', smuggled)],
    ['a bare LF', `POST / HTTP/1.1\nHost: x\nContent-Length: ${smuggled.length}\n\n${smuggled}`],
    ['one bare LF', crlf('POST / HTTP/1.1', `Host: x\nContent-Length: ${smuggled.length}`, '', smuggled)],
    ['a bare CR', crlf('POST / HTTP/1.1', `Host: x\rContent-Length: ${smuggled.length}`, '', smuggled)],
    ['chunks in HTTP/1.0', crlf('POST / HTTP/1.0', 'Host: x', 'Transfer-Encoding: chunked', '', '0', '', smuggled)],
  ];
  for (const [what, text] of cases) {
    it(`is answered 4xx or 501 and the connection closed: ${what}`, async () => {
      seen = [];
      const answer = await raw(test.address, text);
      assert.match(answer, /^HTTP\/1\.1 (4\d\d|501) /);
      assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
      assert.match(answer, /\r\nConnection: close\r\n/);
      assert.deepEqual(seen, []);
    });
  }

  it('is cut off when its chunks go wrong, and what follows is never read as a request', async () => {
    for (const chunk of ['0x3\r\nabc', '3 \r\nabc', '3\nabc', '+3\r\nabc', '3\r\nabcX', '3;\n\r\nabc']) {
      seen = [];
      const body = crlf(chunk, '0', '', smuggled);
      const answer = await raw(
        test.address,
        crlf('POST /bad HTTP/1.1', 'Host: x', 'Transfer-Encoding: chunked', '', body),
      );
      assert.match(answer, /^HTTP\/1\.1 400 /);
      assert.equal(answer.match(/HTTP\/1\.1/g)?.length, 1);
      assert.ok(!seen.some((line) => line.includes('smuggled')), JSON.stringify(seen));
      assert.ok(!seen.some((line) => line.startsWith('POST /bad ')), 'the instance took the request for complete');
    }
  });
});

it('two requests in one packet are two requests', async () => {
  seen = [];
  const answer = await raw(
    test.address,
    crlf(
      'POST /a HTTP/1.1',
      'Host: x',
      'Content-Length: 3',
      '',
      'abcGET /b HTTP/1.1',
      'Host: x',
      'Connection: close',
      '',
      '',
    ),
  );
  assert.deepEqual(seen, ['POST /a abc', 'GET /b ']);
  assert.equal(answer.match(/HTTP\/1\.1 200/g)?.length, 2);
});

it('whatever is changed in a request, proxy and instance agree on how many requests there are', async () => {
  const base = crlf(
    'POST /first HTTP/1.1',
    'Host: x',
    'Transfer-Encoding: chunked',
    'X-Other: 1',
    '',
    '5;ext=1',
    'hello',
    '0',
    'X-Trailer: 1',
    '',
    'POST /second HTTP/1.1',
    'Host: x',
    `Content-Length: ${smuggled.length}`,
    '',
    `${smuggled}GET /third HTTP/1.1`,
    'Host: x',
    'Connection: close',
    '',
    '',
  );
  const noise = fc.constantFrom(
    '\r',
    '\n',
    '\r\n',
    ' ',
    '\t',
    '\0',
    ':',
    '0',
    '5',
    ';',
    ',',
    '\u000b',
    '\u00a0',
    'chunked',
    'Content-Length: 3\r\n',
  );
  const change = fc.tuple(fc.nat(base.length), fc.integer({ min: 0, max: 3 }), noise);
  await fc.assert(
    fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 3 }), async (changes) => {
      let text = base;
      for (const [at, removed, added] of changes) text = text.slice(0, at) + added + text.slice(at + removed);
      seen = [];
      test.proxy.feed.flush();
      test.samples.length = 0;
      // A second piece ends what the first leaves open.
      await raw(
        test.address,
        text,
        `\r\n\r\n${'0\r\n\r\n'.repeat(2)}GET /end HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n!!\r\n\r\n`,
      );
      await until(() => test.proxy.traffic.inFlight(new Set(['old-1'])) === 0, 'no request is in flight');
      test.proxy.feed.flush();
      const complete = seen.filter((line) => line.split(' ').length > 2);
      const answered = test.samples.filter((sample) => sample.origin === 'instance').length;
      assert.ok(
        !seen.includes('what Node refuses'),
        `the instance refused what the proxy sent: ${seen.join()} ${JSON.stringify(text)}`,
      );
      assert.ok(
        complete.length <= test.samples.length,
        `${JSON.stringify(seen)} but ${test.samples.length} forwarded: ${JSON.stringify(text)}`,
      );
      assert.ok(answered <= seen.length);
    }),
    { numRuns: 150 },
  );
});
