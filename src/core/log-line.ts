// The bound on one line of an instance's output.

/** The longest text of a log line, in bytes of UTF-8. */
export const maxLineBytes = 8192;

const mark = '…';

/** The text itself, or as much of its beginning as fits into `maxLineBytes` together with `…`. */
export function cutLine(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= maxLineBytes) return text;
  let end = maxLineBytes - new TextEncoder().encode(mark).length;
  // A byte 10xxxxxx continues a character: the cut must not fall before one.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return new TextDecoder().decode(bytes.subarray(0, end)) + mark;
}
