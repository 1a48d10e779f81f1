// Reads access logs: NGINX, Apache's common and combined formats with or without times, and HAProxy's HTTP log.

import { nothing, requestLine, unreadable, type LineParser } from './record.ts';
import { findLogTime } from './time-stamp.ts';

/** How the releases are told apart: a line that matches `candidate` is the candidate's; any other is stable's, or only those that match `stable`. */
export interface ReleasePatterns {
  readonly candidate: RegExp;
  readonly stable?: RegExp | undefined;
}

/** Lines longer than this are not read: a pattern of the user's own must not take for ever. */
const longestLine = 16_384;

/** `"GET / HTTP/1.1" 200 512`, after which NGINX and Apache put referrer, agent and whatever was configured. */
const quotedRequest = /"(?:[^"\\]|\\.)*" (\d{3}) /;
/** A duration by name: `rt=0.123`, `request_time=0.123`, `"request_time":"0.123"`. */
const namedSeconds = /\b(?:rt|request_time|duration)"?[=:]"?(\d+\.\d+)/;
/** Seconds with milliseconds as the last word of the line, where `$request_time` usually stands. */
const lastSeconds = / "?(\d+\.\d{3})"?$/;

export function createAccessLogParser(releases: ReleasePatterns): LineParser {
  return (line) => {
    if (line.trim() === '' || line.startsWith('#')) return nothing;
    if (line.length > longestLine) return unreadable(`longer than ${longestLine} characters`);
    const release = releaseOf(line, releases);
    if (release === undefined) return nothing;
    const atSeconds = findLogTime(line);
    if (atSeconds === undefined) return unreadable('no time like [10/Oct/2000:13:55:36 +0000]');
    const status = quotedRequest.exec(`${line} `)?.[1];
    if (status === undefined) return unreadable('no "request" with a status after it');
    const seconds = namedSeconds.exec(line)?.[1] ?? lastSeconds.exec(line)?.[1];
    const latencyMs = seconds === undefined ? undefined : Number(seconds) * 1000;
    return requestLine({ atSeconds, release, status: Number(status), latencyMs });
  };
}

/** `frontend backend/server TR/Tw/Tc/Tr/Ta status bytes …`; a part of the timers is -1 where it was not reached. */
const haproxyTimers = / (-?\d+)\/(-?\d+)\/(-?\d+)\/(-?\d+)\/\+?(\d+) (-1|\d{3}) /;

export function createHaproxyParser(releases: ReleasePatterns): LineParser {
  return (line) => {
    if (line.trim() === '') return nothing;
    if (line.length > longestLine) return unreadable(`longer than ${longestLine} characters`);
    const release = releaseOf(line, releases);
    if (release === undefined) return nothing;
    const atSeconds = findLogTime(line);
    if (atSeconds === undefined) return unreadable('no time like [10/Oct/2000:13:55:36.123]');
    const timers = haproxyTimers.exec(line);
    if (timers === null) return unreadable('no timers like 0/0/1/12/13 with a status after them');
    // no status at all: the client went away before there was an answer
    const status = timers[6] === '-1' ? 499 : Number(timers[6]);
    return requestLine({ atSeconds, release, status, latencyMs: Number(timers[5]) });
  };
}

function releaseOf(line: string, { candidate, stable }: ReleasePatterns): 'candidate' | 'stable' | undefined {
  // search, not test: a pattern with the flag g would remember where it was
  if (line.search(candidate) >= 0) return 'candidate';
  return stable === undefined || line.search(stable) >= 0 ? 'stable' : undefined;
}
