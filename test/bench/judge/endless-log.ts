// A recorded log of any length, written as fast as it is read; the same lines each time.

import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Requests per second of the log; a tenth of them are the candidate's, 0.1 % of all fail. */
const perSecond = 500;

const linesPerPiece = 2000;

/** Writes `count` lines in the format canary-trace/1, and ends the stream; `wrote` hears of the lines so far. */
export async function writeLog(
  to: Writable,
  count: number,
  wrote: (lines: number) => void = () => undefined,
): Promise<void> {
  for (let line = 0; line < count; line += linesPerPiece) {
    const length = Math.min(linesPerPiece, count - line);
    const piece = Array.from({ length }, (_, index) => requestLine(line + index)).join('');
    if (!to.write(piece)) await once(to, 'drain');
    wrote(line + length);
  }
  to.end();
}

function requestLine(index: number): string {
  const t = (index / perSecond).toFixed(3);
  const status = index % 1000 === 17 ? 500 : 200;
  return `{"t":${t},"v":"${index % 10 === 3 ? 'canary' : 'stable'}","status":${status},"ms":${40 + ((index * 37) % 90)}}\n`;
}
