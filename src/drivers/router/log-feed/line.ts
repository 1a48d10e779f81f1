// The one line that a router writes per finished request; see the readme for its fields.

import type { Sample } from '../../../core/gate/sample.ts';

export interface FeedLine extends Pick<Sample, 'status' | 'latencyMs' | 'via' | 'origin'> {
  /** Epoch milliseconds; undefined: when the line came. */
  readonly at: number | undefined;
  /** What the router knows the release by; undefined: no release had the request. */
  readonly place: string | undefined;
  /** The address or name of the instance that answered; undefined: none. */
  readonly server: string | undefined;
}

/** Longer lines are cut when they come in, and then do not parse. */
export const longestLine = 1024;

const mark = 'sluice1 ';
/** A syslog header is shorter. */
const longestHeader = 256;

/** Whether the line, whatever is wrong with it, was written by the router whose token this is. */
export function isOurs(text: string, token: string): boolean {
  const start = text.indexOf(mark);
  return start >= 0 && start <= longestHeader && text.startsWith(`${token} `, start + mark.length);
}

const time = String.raw`(\d{1,15}(?:\.\d{1,6})?)(m?s)`;
const name = String.raw`([\w.:/[\]@-]{1,255})`;
const fields = new RegExp(
  String.raw`^[0-9a-f]+ (?:${time}|-) ${name} ${name} (0|\d{3}) ${time} (share|rule|sticky|preview) (instance|router)$`,
);

/** Undefined for everything that is not exactly a line with this token. */
export function parseLine(text: string, token: string): FeedLine | undefined {
  if (text.length > longestLine || !isOurs(text, token)) return undefined;
  const found = fields.exec(text.slice(text.indexOf(mark) + mark.length));
  if (found === null) return undefined;
  const [, at, atUnit, place, server, status, latency = '', unit, via, origin] = found;
  return {
    at: at === undefined ? undefined : milliseconds(at, atUnit),
    place: place === '-' ? undefined : place,
    server: server === '-' ? undefined : server,
    status: Number(status),
    latencyMs: milliseconds(latency, unit),
    // The pattern lets nothing else through.
    via: via as Sample['via'],
    origin: origin as Sample['origin'],
  };
}

function milliseconds(digits: string, unit: string | undefined): number {
  const value = Number(digits);
  // Rounded to microseconds, because a thousand times 0.034 is not 34.
  return unit === 'ms' ? value : Math.round(value * 1_000_000) / 1000;
}
