// Failures as text: what is wrong, where, what to do.

import type { FailureData } from '../../base/failure.ts';
import { renderLastLines } from './last-lines.ts';
import type { Look } from './look.ts';
import { clean, hanging } from './text.ts';
import { lasted, moment } from './units.ts';

const errorHeading = 'error: ';

/** A message may have several lines (a configuration has all of its problems told at once); each is kept and cleaned by itself. */
export function renderFailure(failure: FailureData, look: Look): readonly string[] {
  const { paint, width } = look;
  const message = failure.code === 'internal' ? `a defect of Sluice: ${failure.message}` : failure.message;
  const [first = '', ...rest] = message.split('\n').flatMap((line, index) => messageLine(line, index, width));
  const place = failure.at === undefined ? [] : hanging('   at  ', clean(failure.at), width);
  return [
    paint.bold(paint.bad(errorHeading)) + first.slice(errorHeading.length),
    ...rest,
    ...renderLastLines(failure, '   wrote  ', look),
    ...place.map(paint.dim),
    ...sinceWhen(failure, look).map(paint.dim),
    ...hanging('   do  ', clean(failure.remedy), width),
  ];
}

/** Facts are for machines, but since when somebody else has been at work is what a person asks first. */
function sinceWhen({ details }: FailureData, { now, zone, width }: Look): readonly string[] {
  const since = details?.['since'];
  if (typeof since !== 'number') return [];
  return hanging('since  ', `${moment(since, now, zone)}, ${lasted(Math.max(0, now - since))} ago`, width);
}

function messageLine(line: string, index: number, width: number): readonly string[] {
  if (index === 0) return hanging(errorHeading, clean(line), width);
  const indent = /^ */.exec(line)?.[0] ?? '';
  return hanging(' '.repeat(errorHeading.length) + indent, clean(line.trim()), width);
}
