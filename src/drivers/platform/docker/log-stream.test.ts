import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { maxLineBytes } from '../../../core/log-line.ts';
import { outputLines } from './log-stream.ts';

const at = '2026-11-21T10:00:00.123456789Z';
const atMs = Date.parse('2026-11-21T10:00:00.123Z');

function frame(stream: 1 | 2, text: string): Buffer {
  const payload = Buffer.from(`${at} ${text}`);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

async function linesOf(chunks: readonly Buffer[], framed = true) {
  return Array.fromAsync(outputLines(Readable.from(chunks), framed));
}

test('frames are parted into lines however their bytes come', async () => {
  const whole = Buffer.concat([
    frame(1, 'one\n'),
    frame(2, 'two\n'),
    frame(1, ''),
    frame(1, 'half '),
    frame(1, 'line\n'),
    frame(2, 'last'),
  ]);
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 20 }), async (sizes) => {
      const chunks: Buffer[] = [];
      let from = 0;
      for (const size of sizes) {
        chunks.push(whole.subarray(from, from + size));
        from += size;
      }
      chunks.push(whole.subarray(from));
      const lines = await linesOf(chunks.filter(({ length }) => length > 0));
      assert.deepEqual(
        lines.map(({ stream, text, at }) => `${stream} ${at === atMs} ${text}`),
        ['stdout true one', 'stderr true two', 'stdout true half line', 'stderr true last'],
      );
    }),
    { numRuns: 200 },
  );
});

test('a line of many entries is cut, and the times inside it are not part of it', async () => {
  const parts = Array.from({ length: 40 }, () => frame(1, 'x'.repeat(16_384)));
  const [line, next] = await linesOf([...parts, frame(1, '\n'), frame(1, 'short\n')]);
  assert.match(line?.text ?? '', /^x+…$/);
  assert.ok(Buffer.byteLength(line?.text ?? '') <= maxLineBytes);
  assert.equal(next?.text, 'short');
});

test('the output of a container with a terminal has no frames', async () => {
  const lines = await linesOf([Buffer.from(`${at} one\r\n${at} tw`), Buffer.from('o\r\n')], false);
  assert.deepEqual(lines, [
    { at: atMs, stream: 'stdout', text: 'one' },
    { at: atMs, stream: 'stdout', text: 'two' },
  ]);
});
