// Reads CSV: a line of titles, then one request per line.

import { nothing, unreadable, type LineParser } from './record.ts';
import type { ReleasePatterns } from './release-of.ts';
import { type Part, rowLine, titles, usualReleases } from './row.ts';

type Columns = Readonly<Record<Part, number>>;

/**
 * The release column, or the one titled `field`, is matched against the patterns; without any, `candidate`, `canary` and `new` are
 * the candidate.
 */
export function createCsvParser(releases: ReleasePatterns = usualReleases, field = releases.field): LineParser {
  let columns: Columns | undefined;
  return (line) => {
    if (line.trim() === '') return nothing;
    const cells = splitCsv(line);
    if (columns !== undefined) return rowLine(rowOf(cells, columns), releases);
    const found = columnsOf(cells, field);
    if (typeof found === 'string') return unreadable(found);
    columns = found;
    return nothing;
  };
}

/** Whether a line is the titles of a file that can be read. */
export function isTitles(line: string, field?: string): boolean {
  return typeof columnsOf(splitCsv(line), field) !== 'string';
}

function columnsOf(cells: readonly string[], field: string | undefined): Columns | string {
  const named = cells.map((cell) => cell.trim().toLowerCase());
  const find = (names: readonly string[]): number =>
    names.map((name) => named.indexOf(name)).find((index) => index >= 0) ?? -1;
  const wanted = { ...titles, release: field === undefined ? titles.release : [field.toLowerCase()] };
  const columns = Object.fromEntries(Object.entries(wanted).map(([key, names]) => [key, find(names)])) as Columns;
  const missing = (['time', 'release', 'status'] as const).filter((key) => columns[key] === -1);
  return missing.length === 0 ? columns : `the titles lack ${missing.map((key) => wanted[key][0]).join(' and ')}`;
}

function rowOf(cells: readonly string[], columns: Columns): Parameters<typeof rowLine>[0] {
  return Object.fromEntries(Object.entries(columns).map(([part, column]) => [part, cells[column]?.trim()]));
}

/** Cells of one line; a quoted cell may hold commas and doubled quotes. */
function splitCsv(line: string): string[] {
  const cells: string[] = [];
  const cell = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const [, quoted, plain] of line.matchAll(cell)) cells.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
  return cells;
}
