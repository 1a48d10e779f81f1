// What an instance wrote before it ended, where a failure tells it.

import type { FailureData } from '../../base/failure.ts';
import type { Look } from './look.ts';
import { clean, columnsOf, fit } from './text.ts';

/** Each line as it was written, indentation included, cut at the width; the first one behind the heading. */
export function renderLastLines({ details }: FailureData, heading: string, look: Look): readonly string[] {
  const lines: unknown = details?.['lastLines'];
  if (!Array.isArray(lines)) return [];
  const indent = columnsOf(heading);
  return lines
    .filter((line) => typeof line === 'string')
    .map((line, index) => {
      const own = /^ */.exec(line)?.[0] ?? '';
      const text = fit(own + clean(line).trim(), Math.max(1, look.width - indent));
      return ((index === 0 ? heading : ' '.repeat(indent)) + look.paint.dim(text)).trimEnd();
    });
}
