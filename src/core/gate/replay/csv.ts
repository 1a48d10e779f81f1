// Reads CSV: a line of titles, then one request per line.

import type { ReleasePatterns } from './access-log.ts';
import { nothing, requestLine, unreadable, type Line, type LineParser } from './record.ts';
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

/** The release column is matched against the patterns; without any, `candidate`, `canary` and `new` are the candidate. */
export function createCsvParser(releases: ReleasePatterns = { candidate: /^(?:candidate|canary|new)$/i }): LineParser {
  let columns: Columns | undefined;
  return (line) => {
    if (line.trim() === '') return nothing;
    const cells = splitCsv(line);
    if (columns !== undefined) return rowLine(cells, columns, releases);
    const found = columnsOf(cells);
    if (typeof found === 'string') return unreadable(found);
    columns = found;
    return nothing;
  };
}

function columnsOf(cells: readonly string[]): Columns | string {
  const named = cells.map((cell) => cell.trim().toLowerCase());
  const find = (names: readonly string[]): number =>
    names.map((name) => named.indexOf(name)).find((index) => index >= 0) ?? -1;
  const columns = Object.fromEntries(Object.entries(titles).map(([key, names]) => [key, find(names)])) as Columns;
  const missing = (['time', 'release', 'status'] as const).filter((key) => columns[key] === -1);
  return missing.length === 0 ? columns : `the titles lack ${missing.join(' and ')}`;
}

function rowLine(cells: readonly string[], columns: Columns, { candidate, stable }: ReleasePatterns): Line {
  const cell = (column: number): string => cells[column]?.trim() ?? '';
  const atSeconds = parseTime(cell(columns.time));
  if (atSeconds === undefined) return unreadable(`"${cell(columns.time).slice(0, 40)}" is not a time`);
  const name = cell(columns.release);
  const isCandidate = name.search(candidate) >= 0;
  if (!isCandidate && stable !== undefined && name.search(stable) < 0) return nothing;
  return requestLine({
    atSeconds,
    release: isCandidate ? 'candidate' : 'stable',
    status: Number(cell(columns.status) || Number.NaN),
    latencyMs: latencyOf(cell(columns.milliseconds), cell(columns.seconds)),
  });
}

function latencyOf(milliseconds: string, seconds: string): number | undefined {
  if (milliseconds !== '') return Number(milliseconds);
  return seconds === '' ? undefined : Number(seconds) * 1000;
}

/** Cells of one line; a quoted cell may hold commas and doubled quotes. */
function splitCsv(line: string): string[] {
  const cells: string[] = [];
  const cell = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const [, quoted, plain] of line.matchAll(cell)) cells.push(quoted?.replaceAll('""', '"') ?? plain ?? '');
  return cells;
}
