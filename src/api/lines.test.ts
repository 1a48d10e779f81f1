// Lines of a stream come out as they went in, however the network cut them.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { LongLine, failureIn, failureLineOf, lineOf, linesOf } from './lines.ts';

async function* chunksOf(bytes: Uint8Array, sizes: readonly number[]): AsyncGenerator<Uint8Array> {
  let from = 0;
  for (let index = 0; from < bytes.length; index += 1) {
    const size = sizes[index % sizes.length] ?? 1;
    yield bytes.subarray(from, from + size);
    from += size;
  }
}

it('lines come out as they went in, however they were cut, without the signs of life', async () => {
  const cut = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 });
  const property = fc.asyncProperty(fc.array(fc.jsonValue()), cut, async (items, sizes) => {
    const text = items.map((item) => `\n${lineOf(item)}\n`).join('');
    const lines = await Array.fromAsync(linesOf(chunksOf(Buffer.from(text), sizes), 1e6));
    assert.deepEqual(
      lines,
      items.map((item) => JSON.stringify(item)),
    );
  });
  await fc.assert(property, { numRuns: 200 });
});

it('a line without an end counts, a line without measure is refused', async () => {
  assert.deepEqual(await Array.fromAsync(linesOf(chunksOf(Buffer.from('1\n2'), [1]), 10)), ['1', '2']);
  const endless = linesOf(chunksOf(Buffer.alloc(100, 'x'), [5]), 50);
  await assert.rejects(Array.fromAsync(endless), LongLine);
});

it('a failure is told from an item', () => {
  const data = { code: 'internal', message: 'm', remedy: 'r' } as const;
  assert.deepEqual(failureIn(JSON.parse(failureLineOf(data))), data);
  for (const item of [{ kind: 'record' }, { text: 'failure' }, null, 'failure', []])
    assert.equal(failureIn(item), undefined);
});
