// Reads the line that HAProxy writes when a request is over: who served it, how it ended, and how long it took.

import type { Sample } from '../../../../core/gate/sample.ts';
import { type FeedLine, isOurs, longestLine } from '../../log-feed/line.ts';

const name = '([A-Za-z0-9_-]{1,400})';
const microseconds = String.raw`(-|\d{1,15})`;
const fields = new RegExp(
  String.raw`sluice1 [0-9a-f]+ (\d{1,15}) ${name} ${name} (-1|\d{1,3}) ([A-Za-z-]{2}) ${microseconds} ${microseconds} (share|rule|sticky|preview|-)\s*$`,
);

/** As the pattern has them: all are there when it matches. */
type Fields = [string, string, string, string, string, string, string, string];

/** Undefined for everything that is not exactly a line with this token. */
export function parseLogLine(text: string, token: string): FeedLine | undefined {
  if (text.length > longestLine || !isOurs(text, token)) return undefined;
  const found = fields.exec(text);
  if (found === null) return undefined;
  const [at, release, instance, status, how, switched, total, via] = found.slice(1) as Fields;
  const latency = switched === '-' ? total : switched;
  const { origin, code } = ending(Number(status), how);
  return {
    at: Number(at),
    // A request that was over before it had a release counts, and is no sample.
    place: via === '-' || latency === '-' ? undefined : decoded(release),
    server: decoded(instance),
    status: code,
    latencyMs: latency === '-' ? 0 : Number(latency) / 1000,
    via: via === '-' ? 'share' : (via as Sample['via']),
    origin,
  };
}

/** A release that had the request answers for it, also where no server of it could be found. */
export function whoseLine({ place, server }: FeedLine): Pick<Sample, 'release' | 'instance'> | undefined {
  return place === undefined ? undefined : { release: place, instance: server ?? '-' };
}

/** `-` stands for none; a whole name has more than one character in base64url. */
function decoded(text: string): string | undefined {
  return text === '-' ? undefined : Buffer.from(text, 'base64url').toString('utf8');
}

/** What HAProxy's two letters say about the end of a request: who ended it, and in which phase. */
function ending(status: number, how: string): Pick<Sample, 'origin'> & { readonly code: number } {
  // An upgraded connection is ended by one side or the other, and that is how it should be.
  if (status === 101) return { origin: 'instance', code: status };
  switch (how.charAt(0)) {
    case '-':
      return { origin: 'instance', code: status };
    case 'C':
    case 'c':
      return { origin: 'router', code: 499 };
    case 'K':
    case 'D':
      return { origin: 'router', code: 503 };
    default:
      // The head of the answer was fine, but the answer broke off.
      return { origin: 'router', code: status >= 400 ? status : 502 };
  }
}
