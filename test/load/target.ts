// What is under load: the service that was made for it, or a program that serves files and knows nothing of us.

import { answerBody, headers } from './protocol.ts';

export type Target =
  | { readonly kind: 'own' }
  | {
      readonly kind: 'files';
      readonly small: { readonly path: string; readonly text: string };
      /** A file of the pattern. */
      readonly large: { readonly path: string; readonly bytes: number };
      /** The header by which releases differ; one without it counts as `without`. */
      readonly versionHeader: string;
    };

export interface Answer {
  readonly status: number;
  readonly body: string;
  readonly field: (name: string) => string | undefined;
}

/** What an answer is: good, an error that the release was made to give, or a problem. */
export type Judged = { readonly kind: 'good' | 'deliberate'; readonly version: string } | { readonly kind: 'bad' };

/** Each so many requests one has a body, so that a proxy may not repeat it. */
const postEvery = 5;

/** The whole text of a plain request. */
export function requestText(target: Target, id: string, number: number): string {
  if (target.kind === 'files') return `GET ${target.small.path} HTTP/1.1\r\nHost: load\r\n\r\n`;
  const posts = number % postEvery === 0;
  const lines = `${posts ? 'POST' : 'GET'} /?id=${id} HTTP/1.1\r\nHost: load\r\n${headers.load}: plain\r\n`;
  return posts ? `${lines}Content-Length: 4\r\n\r\nbody` : `${lines}\r\n`;
}

export function judge(target: Target, { status, body, field }: Answer, id: string): Judged {
  if (target.kind === 'files') {
    if (status !== 200 || body !== target.small.text) return { kind: 'bad' };
    return { kind: 'good', version: field(target.versionHeader) ?? 'without' };
  }
  const version = field(headers.release) ?? '';
  if (body !== answerBody(version, id)) return { kind: 'bad' };
  if (status === 200) return { kind: 'good', version };
  if (status === 500 && field(headers.deliberate) !== undefined) return { kind: 'deliberate', version };
  return { kind: 'bad' };
}
