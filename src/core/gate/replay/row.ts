// A request whose parts have names: a row of CSV, an object of JSON.

import { nothing, requestLine, unreadable, type Line } from './record.ts';
import { releaseOfField, type ReleasePatterns } from './release-of.ts';
import { findLogTime, parseTime } from './time-stamp.ts';

/** Which names hold what; the first that is there is taken, without regard to case. */
export const titles = {
  time: ['time', 't', 'timestamp', 'at', 'date', '@timestamp', 'ts', 'time_iso8601', 'time_local', 'msec'],
  release: ['release', 'version', 'v', 'upstream', 'variant', 'upstream_addr'],
  status: ['status', 'code', 'status_code'],
  milliseconds: ['ms', 'latency_ms', 'latencyms', 'duration_ms', 'latency'],
  seconds: ['seconds', 'request_time', 'latency_s', 'duration_s', 'duration'],
} as const;

export type Part = keyof typeof titles;

/** Names that tell the candidate where nothing else was said. */
export const usualReleases: ReleasePatterns = { candidate: /^(?:candidate|canary|new)$/i };

/** Parts as they stand; undefined where the line does not have them. */
export type Row = Readonly<Partial<Record<Part, string | undefined>>>;

export function rowLine(row: Row, releases: ReleasePatterns): Line {
  const { time = '', status = '', milliseconds = '', seconds = '' } = row;
  const release = releaseOfField(row.release, releases);
  if (release === 'nothing') return nothing;
  if (release === 'missing') return unreadable('the part that names the release is missing');
  const atSeconds = parseTime(time) ?? findLogTime(time);
  if (atSeconds === undefined) return unreadable(`"${time.slice(0, 40)}" is not a time`);
  const code = numberIn(status);
  if (code === undefined) return unreadable(`"${status.slice(0, 40)}" is not an HTTP status`);
  const latency = milliseconds || seconds;
  const amount = numberIn(latency);
  if (latency !== '' && amount === undefined) return unreadable(`"${latency.slice(0, 40)}" is not a duration`);
  const perUnit = milliseconds === '' ? 1000 : 1;
  const latencyMs = amount === undefined ? undefined : amount * perUnit;
  return requestLine({ atSeconds, release, status: code, latencyMs });
}

/** A number in decimal notation; undefined for anything else. */
function numberIn(text: string): number | undefined {
  return /^-?\d+(?:\.\d+)?$/.test(text) ? Number(text) : undefined;
}
