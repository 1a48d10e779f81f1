// One HTTP request over a connection of its own, so that no earlier one's trouble shows in it, with an answer that is bounded in size.

import type { IncomingMessage } from 'node:http';
import { networkProblem } from './network-problem.ts';

export interface OneQuestion {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** As Node's TLS takes them; without them the usual authorities are trusted. */
  readonly tls?: {
    readonly ca?: readonly string[];
    readonly rejectUnauthorized?: boolean;
    readonly servername?: string;
  };
  /** So much of the answer's body is kept, bytes, and the rest is not read. 0: it is read to its end, and none of it kept. */
  readonly keepBytes: number;
  /** The only limit on time. */
  readonly signal: AbortSignal;
}

export interface OneAnswer {
  readonly status: number;
  /** Names in lower case; of a header that came more than once the values, with commas. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whether all of the body is there. */
  readonly complete: boolean;
}

/** Redirects are not followed. Rejects with what `askingProblem` tells of, or because the signal aborted. */
export async function askOnce(question: OneQuestion): Promise<OneAnswer> {
  const { url, method, headers, body, tls, keepBytes, signal } = question;
  // Importing it would load Node's own `fetch` with it, which takes five times as long.
  const { request } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http');
  const { ca, ...ofTls } = tls ?? {};
  const asking = request(url, {
    method,
    headers,
    agent: false,
    signal,
    joinDuplicateHeaders: true,
    ...ofTls,
    ...(ca === undefined ? {} : { ca: [...ca] }),
  });
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      asking.once('response', resolve);
      asking.on('error', reject);
      // What changes the protocol is no answer, and no error either.
      asking.once('close', () => reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' })));
      asking.end(body);
    });
    return { status: answer.statusCode ?? 0, headers: single(answer.headers), ...(await bodyOf(answer, keepBytes)) };
  } finally {
    asking.destroy();
  }
}

async function bodyOf(answer: IncomingMessage, keepBytes: number): Promise<Pick<OneAnswer, 'body' | 'complete'>> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (keepBytes === 0) continue;
    chunks.push(chunk);
    if (bytes > keepBytes) break;
  }
  const kept = Buffer.concat(chunks).subarray(0, keepBytes);
  return { body: new TextDecoder().decode(kept), complete: keepBytes === 0 || bytes <= keepBytes };
}

function single(headers: IncomingMessage['headers']): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [
    name,
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return Object.fromEntries(entries);
}

export interface AskingProblem {
  /** `unsendable`: the request itself; `not-http`: what came is no answer; `network`: everything else. */
  readonly kind: 'unsendable' | 'not-http' | 'network';
  /** A sentence without what was sent: an error's own message would quote a header. */
  readonly words: string;
}

const unsendable: ReadonlySet<unknown> = new Set([
  'ERR_INVALID_CHAR',
  'ERR_INVALID_HTTP_TOKEN',
  'ERR_HTTP_INVALID_HEADER_VALUE',
  'ERR_UNESCAPED_CHARACTERS',
]);

/** What went wrong with a request to `place`, a host with its port. */
export function askingProblem(thrown: unknown, place: string): AskingProblem {
  const code = (thrown as { readonly code?: unknown } | null)?.code;
  if (unsendable.has(code))
    return { kind: 'unsendable', words: 'a header or the method of the request cannot be sent' };
  // The parser's own codes, of which these two are about an answer that was one so far.
  const isParsers = typeof code === 'string' && code.startsWith('HPE_');
  if (isParsers && code !== 'HPE_HEADER_OVERFLOW' && code !== 'HPE_INVALID_EOF_STATE')
    return { kind: 'not-http', words: 'the answer is not HTTP' };
  return { kind: 'network', words: networkProblem(thrown, place) };
}
