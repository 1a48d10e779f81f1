// Draws a replay: the wealth against the candidate over time, as text for a terminal and as SVG.

import type { ReplayPoint } from './judge.ts';
import type { ReplayVerdict } from './replay.ts';

export interface Plot {
  readonly points: readonly ReplayPoint[];
  /** Wealth at which the candidate is aborted. */
  readonly needed: number;
  readonly verdict: Pick<ReplayVerdict, 'verdict' | 'atSeconds'>;
}

/** The wealth is drawn on a logarithmic scale between these and a little above what is needed. */
const leastWealth = 0.01;

/** Lines of a terminal: the wealth with the line that aborts, and the time below. */
export function terminalPlot({ points, needed, verdict }: Plot, size = { columns: 72, rows: 12 }): string {
  if (points.length === 0) return 'nothing was judged';
  const end = points.at(-1)?.atSeconds ?? 1;
  const top = needed * 10;
  const rowOf = (wealth: number): number => Math.round((1 - heightOf(wealth, top)) * (size.rows - 1));
  const columnOf = (atSeconds: number): number =>
    Math.min(size.columns - 1, Math.floor((atSeconds / end) * size.columns));
  const grid = Array.from({ length: size.rows }, () => Array.from({ length: size.columns }, () => ' '));
  const put = (row: number, column: number, mark: string): void => {
    const cells = grid[row];
    if (cells !== undefined) cells[column] = mark;
  };
  for (let column = 0; column < size.columns; column += 1) put(rowOf(needed), column, '-');
  // between two points the wealth is what it was at the first
  let drawn = { column: columnOf(points[0]?.atSeconds ?? 0), row: rowOf(points[0]?.wealth ?? 1) };
  for (const { atSeconds, wealth } of points) {
    const column = columnOf(atSeconds);
    for (let between = drawn.column + 1; between < column; between += 1) put(drawn.row, between, '*');
    drawn = { column, row: rowOf(wealth) };
    put(drawn.row, column, '*');
  }
  const labels = new Map([
    [rowOf(needed), needed],
    [rowOf(1), 1],
    [rowOf(leastWealth), leastWealth],
  ]);
  const lines = grid.map((cells, row) => `${String(labels.get(row) ?? '').padStart(6)} |${cells.join('').trimEnd()}`);
  const seconds = `${' '.repeat(7)}0 s${`${end} s`.padStart(size.columns - 2)}`;
  return [...lines, `${' '.repeat(7)}+${'-'.repeat(size.columns)}`, seconds, caption(verdict, needed)].join('\n');
}

function caption({ verdict, atSeconds }: Plot['verdict'], needed: number): string {
  const says = {
    abort: `aborted after ${atSeconds} s`,
    promote: `may pass after ${atSeconds} s`,
    inconclusive: 'undecided',
  };
  return `        wealth against the candidate; ${needed} aborts; ${says[verdict]}`;
}

/** 0 for the least wealth that is drawn, 1 for the greatest. */
function heightOf(wealth: number, top: number): number {
  const within = Math.min(Math.max(wealth, leastWealth), top);
  return Math.log(within / leastWealth) / Math.log(top / leastWealth);
}

/** A picture of its own, 800 by 320, without scripts or outside files; readable on light and dark ground. */
export function svgPlot({ points, needed, verdict }: Plot, title = 'Evidence against the candidate'): string {
  const end = Math.max(points.at(-1)?.atSeconds ?? 1, 1e-9);
  const top = needed * 10;
  const x = (atSeconds: number): string => (60 + (atSeconds / end) * 720).toFixed(1);
  const y = (wealth: number): string => (270 - heightOf(wealth, top) * 230).toFixed(1);
  const path = points.map(({ atSeconds, wealth }) => `${x(atSeconds)},${y(wealth)}`).join(' ');
  const level = (wealth: number): string =>
    `<line x1="60" x2="780" y1="${y(wealth)}" y2="${y(wealth)}" stroke="#999" stroke-width="0.5"/>` +
    `<text x="52" y="${y(wealth)}" text-anchor="end" dominant-baseline="middle">${wealth}</text>`;
  const decided =
    verdict.verdict === 'inconclusive'
      ? ''
      : `<line x1="${x(verdict.atSeconds)}" x2="${x(verdict.atSeconds)}" y1="40" y2="270" stroke="#06c" stroke-dasharray="3 3"/>`;
  return [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 320" font-family="sans-serif" font-size="12" fill="#777">',
    '<rect width="800" height="320" fill="none"/>',
    `<text x="60" y="24" font-size="14">${escapeXml(title)}</text>`,
    [leastWealth, 1].map(level).join(''),
    `<line x1="60" x2="780" y1="${y(needed)}" y2="${y(needed)}" stroke="#c00" stroke-dasharray="6 4"/>`,
    `<text x="780" y="${y(needed * 1.4)}" text-anchor="end" fill="#c00">${needed}: abort</text>`,
    decided,
    `<polyline fill="none" stroke="#06c" stroke-width="1.5" points="${path}"/>`,
    `<text x="60" y="290">0 s</text><text x="780" y="290" text-anchor="end">${end} s</text>`,
    `<text x="60" y="310">${escapeXml(caption(verdict, needed).trim())}</text>`,
    '</svg>',
    '',
  ].join('\n');
}

const escapeXml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
