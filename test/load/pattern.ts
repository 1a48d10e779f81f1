// Bytes that both ends of a stream know without asking, so that every one of them is checked on its way.

const period = 65_521;

const pattern = Buffer.alloc(period, 0);
for (let index = 0; index < period; index++) pattern[index] = (index * 31 + (index >> 8) * 7) & 0xff;
const doubled = Buffer.concat([pattern, pattern]);

/** `length` bytes as they stand at `offset` of the endless pattern; at most 64 KiB at a time. */
export function patternAt(offset: number, length: number): Buffer {
  const start = offset % period;
  return doubled.subarray(start, start + Math.min(length, period));
}

/** Whether `chunk` is what stands at `offset`. */
export function isPattern(chunk: Buffer, offset: number): boolean {
  for (let read = 0; read < chunk.length;) {
    const expected = patternAt(offset + read, chunk.length - read);
    if (expected.compare(chunk, read, read + expected.length) !== 0) return false;
    read += expected.length;
  }
  return true;
}
