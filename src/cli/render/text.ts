// Text for terminals: without control characters, and cut, padded and wrapped by the columns that it takes.

// An import would read all names of the module, and load worker threads and more with them.
const { stripVTControlCharacters } = process.getBuiltinModule('node:util');

// Characters that move a terminal's cursor, change its state or turn the reading direction around.
const harmful = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Text from outside (labels, reasons, log lines) on one line, without anything that acts on a terminal. */
export function clean(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll(/[\t\r\n]+/g, ' ')
    .replaceAll(harmful, '');
}

/** Columns that a text takes on a terminal; colours take none. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of stripVTControlCharacters(text)) columns += columnsOfCharacter(character.codePointAt(0) ?? 0);
  return columns;
}

// East Asian wide characters and pictures; a rough table is enough because a wrong guess only shifts a column.
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
];

function columnsOfCharacter(code: number): number {
  if (code < 0x300) return 1;
  if (code <= 0x36f || (code >= 0xfe00 && code <= 0xfe0f) || (code >= 0x20d0 && code <= 0x20ff)) return 0;
  return wideRanges.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** A text without colours, cut with `…` where it takes more than `columns`. */
export function fit(text: string, columns: number): string {
  if (columnsOf(text) <= columns) return text;
  let kept = '';
  let used = 1;
  for (const character of text) {
    used += columnsOfCharacter(character.codePointAt(0) ?? 0);
    if (used > columns) break;
    kept += character;
  }
  return columns > 0 ? `${kept}…` : '';
}

export function padEnd(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - columnsOf(text)));
}

export function padStart(text: string, columns: number): string {
  return ' '.repeat(Math.max(0, columns - columnsOf(text))) + text;
}

/** Lines of at most `columns`, broken between words, inside a word only where it alone is too long. Text without colours. */
export function wrap(text: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((part) => pieces(part, columns))) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && columnsOf(longer) > columns) {
      lines.push(line);
      line = word;
    } else line = longer;
  }
  return line === '' && lines.length > 0 ? lines : [...lines, line];
}

function pieces(word: string, columns: number): readonly string[] {
  if (columnsOf(word) <= columns) return [word];
  const parts: string[] = [];
  let part = '';
  for (const character of word) {
    if (columnsOf(part + character) > columns) {
      parts.push(part);
      part = '';
    }
    part += character;
  }
  return [...parts, part];
}

/** A text behind a heading, wrapped, its further lines under the first; below the heading where there is too little room beside it. */
export function hanging(heading: string, text: string, columns: number): readonly string[] {
  const indent = columnsOf(heading);
  const beside = columns - indent >= leastBeside || indent <= leastIndent;
  if (!beside && heading.trim() !== '') {
    return [heading.trimEnd(), ...hanging(' '.repeat(leastIndent), text, columns)];
  }
  const left = beside ? indent : leastIndent;
  const lines = wrap(text, Math.max(1, columns - left));
  return lines.map((line, index) => (beside && index === 0 ? heading : ' '.repeat(left)) + line);
}

const leastBeside = 20;
const leastIndent = 4;

/** Rows of cells as lines with aligned columns, two spaces between them; `right` names the columns of numbers. */
export function table(rows: readonly (readonly string[])[], right: readonly number[] = []): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, columnsOf(cell))));
  }
  return rows.map((row) =>
    row
      .map((cell, column) => (right.includes(column) ? padStart : padEnd)(cell, widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
