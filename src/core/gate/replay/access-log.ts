// Reads access logs: NGINX, Apache's common and combined formats with or without times, and HAProxy's HTTP log.

import { nothing, requestLine, unreadable, type Line, type LineParser } from './record.ts';
import {
  createFieldReader,
  releaseOfField,
  releaseOfText,
  type ReleaseOf,
  type ReleasePatterns,
} from './release-of.ts';
import { findLogTime } from './time-stamp.ts';

/** Lines longer than this are not read: a pattern of the user's own must not take for ever. */
const longestLine = 16_384;

/** `"GET / HTTP/1.1" 200 512`, after which NGINX and Apache put referrer, agent and whatever was configured. */
const quotedRequest = /"(?:[^"\\]|\\.)*" (\d{3}) /;
/** A duration by name: `rt=0.123`, `request_time=0.123`, `"request_time":"0.123"`. */
const namedSeconds = /\b(?:rt|request_time|duration)"?[=:]"?(\d+\.\d+)/;
/** Seconds with milliseconds as the last word of the line, where `$request_time` usually stands. */
const lastSeconds = / "?(\d+\.\d{3})"?$/;

export function createAccessLogParser(releases: ReleasePatterns): LineParser {
  const releaseOf = releaseReader(releases, createFieldReader);
  return (line) => {
    if (line.startsWith('#')) return nothing;
    return withRelease(line, releaseOf, (release) => {
      const atSeconds = findLogTime(line);
      if (atSeconds === undefined) return unreadable('no time like [10/Oct/2000:13:55:36 +0000]');
      const status = quotedRequest.exec(`${line} `)?.[1];
      if (status === undefined) return unreadable('no "request" with a status after it');
      const seconds = namedSeconds.exec(line)?.[1] ?? lastSeconds.exec(line)?.[1];
      const latencyMs = seconds === undefined ? undefined : Number(seconds) * 1000;
      return requestLine({ atSeconds, release, status: Number(status), latencyMs });
    });
  };
}

/** `backend/server TR/Tw/Tc/Tr/Ta status bytes …`; a part of the timers is -1 where it was not reached. */
const haproxyTimers = /(?:^| )([^\s/]+)\/(\S+) (-?\d+)\/(-?\d+)\/(-?\d+)\/(-?\d+)\/\+?(\d+) (-1|\d{3}) /;

export function createHaproxyParser(releases: ReleasePatterns): LineParser {
  const releaseOf = releaseReader(releases, (field) =>
    field === 'backend' || field === 'server'
      ? (line) => haproxyTimers.exec(line)?.[field === 'backend' ? 1 : 2]
      : createFieldReader(field),
  );
  return (line) =>
    withRelease(line, releaseOf, (release) => {
      const atSeconds = findLogTime(line);
      if (atSeconds === undefined) return unreadable('no time like [10/Oct/2000:13:55:36.123]');
      const timers = haproxyTimers.exec(line);
      if (timers === null) return unreadable('no backend/server and timers like 0/0/1/12/13 with a status after them');
      // no status at all: the client went away before there was an answer
      const status = timers[8] === '-1' ? 499 : Number(timers[8]);
      return requestLine({ atSeconds, release, status, latencyMs: Number(timers[7]) });
    });
}

function releaseReader(
  releases: ReleasePatterns,
  readerOf: (field: string) => (line: string) => string | undefined,
): (line: string) => ReleaseOf {
  if (releases.field === undefined) return (line) => releaseOfText(line, releases);
  const read = readerOf(releases.field);
  return (line) => releaseOfField(read(line), releases);
}

/** What a line comes to before its numbers are looked at. */
function withRelease(
  line: string,
  releaseOf: (line: string) => ReleaseOf,
  read: (release: 'candidate' | 'stable') => Line,
): Line {
  if (line.trim() === '') return nothing;
  if (line.length > longestLine) return unreadable(`longer than ${longestLine} characters`);
  const release = releaseOf(line);
  if (release === 'nothing') return nothing;
  return release === 'missing' ? unreadable('the part that tells the release is missing') : read(release);
}
