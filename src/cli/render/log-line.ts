// Lines that instances wrote, each with the instance that wrote it.

import type { LogLine } from '../../core/instance.ts';
import type { Look } from './look.ts';
import { clean } from './text.ts';
import { moment } from './units.ts';

/** One line, however long: cutting what a service wrote would hide what is looked for. */
export function renderLogLine(line: LogLine, look: Look): string {
  const time = line.at === undefined ? '' : `${moment(line.at, look.now, look.zone)}  `;
  const text = clean(line.text);
  const who = clean(line.instance);
  return `${look.paint.dim(time)}${look.paint.accent(who)}  ${line.stream === 'stderr' ? look.paint.warn(text) : text}`;
}
