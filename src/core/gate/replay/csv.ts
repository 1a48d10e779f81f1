// Reads CSV: a line of titles, then one request per line.

import { nothing, requestLine, unreadable, type Line, type LineParser } from './record.ts';
import { releaseOfField, type ReleasePatterns } from './release-of.ts';
import { parseTime } from './time-stamp.ts';

/** Which titles hold what; the first that is there is taken, without regard to case. */
const titles = {
  time: ['time', 't', 'timestamp', 'at', 'date'],
  release: ['release', 'version', 'v', 'upstream', 'variant'],
  status: ['status', 'code', 'status_code'],
  milliseconds: ['ms', 'latency_ms', 'latencyms', 'duration_ms', 'latency'],
  seconds: ['seconds', 'request_time', 'latency_s', 'duration_s', 'duration'],
} as const;

type Columns = Readonly<Record<keyof typeof titles, number>>;

const usual: ReleasePatterns = { candidate: /^(?:candidate|canary|new)$/i };

/**
 * The release column, or the one titled `field`, is matched against the patterns; without any, `candidate`, `canary` and `new` are
 * the candidate.
 */
export function createCsvParser(releases: ReleasePatterns = usual, field = releases.field): LineParser {
  let columns: Columns | undefined;
  return (line) => {
    if (line.trim() === '') return nothing;
    const cells = splitCsv(line);
    if (columns !== undefined) return rowLine(cells, columns, releases);
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

function rowLine(cells: readonly string[], columns: Columns, releases: ReleasePatterns): Line {
  const cell = (column: number): string => cells[column]?.trim() ?? '';
  const release = releaseOfField(cells[columns.release]?.trim(), releases);
  if (release === 'nothing') return nothing;
  if (release === 'missing') return unreadable('the row is too short to name a release');
  const atSeconds = parseTime(cell(columns.time));
  if (atSeconds === undefined) return unreadable(`"${cell(columns.time).slice(0, 40)}" is not a time`);
  const status = numberIn(cell(columns.status));
  if (status === undefined) return unreadable(`"${cell(columns.status).slice(0, 40)}" is not an HTTP status`);
  const latency = cell(columns.milliseconds) || cell(columns.seconds);
  const amount = numberIn(latency);
  if (latency !== '' && amount === undefined) return unreadable(`"${latency.slice(0, 40)}" is not a duration`);
  const perUnit = cell(columns.milliseconds) === '' ? 1000 : 1;
  return requestLine({ atSeconds, release, status, latencyMs: amount === undefined ? undefined : amount * perUnit });
}

/** A number in decimal notation; undefined for anything else. */
function numberIn(text: string): number | undefined {
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}

/** Cells of one line; a quoted cell may hold commas and doubled quotes. */
function splitCsv(line: string): string[] {
  const cells: string[] = [];
  const cell = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const [, quoted, plain] of line.matchAll(cell)) cells.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
  return cells;
}
