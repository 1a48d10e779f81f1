// Colours and glyphs: what a terminal can show beyond plain text.

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly warn: (text: string) => string;
  readonly accent: (text: string) => string;
}

const same = (text: string): string => text;

export const plainPaint: Paint = { bold: same, dim: same, good: same, bad: same, warn: same, accent: same };

const sequence =
  (on: number, off: number) =>
  (text: string): string =>
    text === '' ? '' : `\u001b[${on}m${text}\u001b[${off}m`;

/** The sixteen basic colours, so that the person's own theme decides how they look. */
export const colourPaint: Paint = {
  bold: sequence(1, 22),
  dim: sequence(2, 22),
  good: sequence(32, 39),
  bad: sequence(31, 39),
  warn: sequence(33, 39),
  accent: sequence(36, 39),
};

export interface Glyphs {
  readonly passed: string;
  readonly failed: string;
  readonly open: string;
  readonly current: string;
  readonly later: string;
  readonly dot: string;
  readonly barOn: string;
  readonly barOff: string;
}

export const unicodeGlyphs: Glyphs = {
  passed: '✓',
  failed: '✗',
  open: '?',
  current: '▸',
  later: '·',
  dot: '●',
  barOn: '█',
  barOff: '░',
};

export const asciiGlyphs: Glyphs = {
  passed: '+',
  failed: 'x',
  open: '?',
  current: '>',
  later: '.',
  dot: '*',
  barOn: '#',
  barOff: '-',
};
