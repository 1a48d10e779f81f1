// What the demo says, as lines: a bar at the left tells its words from what the commands print.

import type { Look } from '../cli/render/look.ts';
import { columnsOf, padStart, wrap } from '../cli/render/text.ts';
import { count } from '../cli/render/units.ts';
import type { Totals } from './tally.ts';

const barColumns = 2;

function bar(look: Look): string {
  return look.paint.accent(look.glyphs.barOn === '█' ? '┃' : '|');
}

/** Lines of the narrator; an empty text is an empty line. */
export function spoken(
  texts: readonly string[],
  look: Look,
  paint: (text: string) => string = same,
): readonly string[] {
  return texts.flatMap((text) =>
    text === '' ? [bar(look)] : wrap(text, look.width - barColumns).map((line) => `${bar(look)} ${paint(line)}`),
  );
}

const same = (text: string): string => text;

/** The heading of an act and what is about to happen in it. */
export function renderAct(position: string, title: string, words: string, look: Look): readonly string[] {
  const heading = `${look.paint.dim(position)}  ${look.paint.bold(title)}`;
  return ['', `${bar(look)} ${heading}`, ...spoken(['', words], look)];
}

/** A command as it would be typed, with the directory in which. */
export function renderCommand(directory: string, line: string, look: Look): readonly string[] {
  return ['', `${look.paint.dim(`${directory} $`)} ${look.paint.bold(line)}`];
}

/** What came of an act. */
export function renderResult(kept: boolean, words: string, look: Look): readonly string[] {
  const mark = kept ? look.paint.good(look.glyphs.passed) : look.paint.bad(look.glyphs.failed);
  const [first = '', ...rest] = wrap(words, look.width - barColumns - 2);
  return [`${bar(look)} ${mark} ${first}`, ...rest.map((line) => `${bar(look)}   ${line}`)];
}

/** `1,204 requests meanwhile, 0 failed: 612 answered by v1, 592 by v2`. */
export function trafficWords(when: string, { requests, failed, versions }: Totals): string {
  const parts = Object.entries(versions).map(
    ([name, share], index) => `${count(share.requests)} ${index === 0 ? 'answered by' : 'by'} ${name}`,
  );
  const by = parts.length === 0 ? '' : `: ${parts.join(', ')}`;
  return `${count(requests)} requests ${when}, ${count(failed)} failed${by}`;
}

/** Rows of label, number and remark, the numbers aligned at the right. */
export function renderFigures(rows: readonly (readonly [string, string, string])[], look: Look): readonly string[] {
  const labels = Math.max(...rows.map(([label]) => columnsOf(label)));
  const numbers = Math.max(...rows.map(([, number]) => columnsOf(number)));
  return rows.flatMap(([label, number, remark]) => {
    const start = `${label}${' '.repeat(labels - columnsOf(label))}  ${look.paint.bold(padStart(number, numbers))}`;
    const room = look.width - barColumns - labels - numbers - 4;
    const [first = '', ...rest] = remark === '' ? [] : wrap(remark, Math.max(20, room));
    const indent = ' '.repeat(labels + numbers + 4);
    return [
      `${bar(look)} ${start}${first === '' ? '' : `  ${look.paint.dim(first)}`}`,
      ...rest.map((line) => `${bar(look)} ${indent}${look.paint.dim(line)}`),
    ];
  });
}
