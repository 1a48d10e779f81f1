// Streams on the wire: one JSON object per line, empty lines as a sign of life, a failure as the last line.

import * as z from 'zod';
import type { FailureData } from '../base/failure.ts';
import { failure } from './schema-failure.ts';

/** A stream that ended badly says why in its last line. */
const failureLine = z.object({ failure });

export function lineOf(item: unknown): string {
  return `${JSON.stringify(item)}\n`;
}

export function failureLineOf(data: FailureData): string {
  return lineOf({ failure: data });
}

/** The failure that a parsed line tells of; undefined for an item. */
export function failureIn(line: unknown): FailureData | undefined {
  const isFailure = typeof line === 'object' && line !== null && Object.hasOwn(line, 'failure');
  return isFailure ? failureLine.parse(line).failure : undefined;
}

/** A line that is longer than allowed. */
export class LongLine extends Error {
  override readonly name = 'LongLine';
}

/** The lines of a body that have something in them, without their ends. Rejects with `LongLine`. */
export async function* linesOf(body: AsyncIterable<Uint8Array>, longestBytes: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest: string[] = [];
  let restBytes = 0;
  for await (const chunk of body) {
    const parts = decoder.decode(chunk, { stream: true }).split('\n');
    const last = parts.pop() ?? '';
    for (const part of parts) {
      const line = [...rest, part].join('');
      rest = [];
      restBytes = 0;
      if (line !== '') yield line;
    }
    rest.push(last);
    restBytes += last.length;
    if (restBytes > longestBytes) throw new LongLine(`a line of more than ${longestBytes} characters`);
  }
  const line = rest.join('') + decoder.decode();
  if (line !== '') yield line;
}
