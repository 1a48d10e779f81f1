// What the web sources need of the outside, and what the answers that are none mean.

import { readJson } from '../validation/judge-answer.ts';
import { seenText } from '../validation/reason.ts';
import { type NoNumber, noNumber } from './question.ts';
import type { WebSource } from './source.ts';

export interface WebAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly body: string;
  /** What was sent as a secret, so that it is not shown when it comes back. */
  readonly secrets: readonly string[];
}

/** Asks with GET, once, within the source's time; it rejects only when `signal` aborts. Redirects are not followed. */
export type AskWeb = (source: WebSource, url: URL, signal: AbortSignal) => Promise<WebAnswer | NoNumber>;

/** Why an answer is no answer to the question, by its status; undefined for 200. `said`: the source's own words. */
export function statusProblem({ status, body, secrets }: WebAnswer, said?: string): NoNumber | undefined {
  if (status === 200) return undefined;
  if (status === 204) return noNumber('empty', 'the answer has no content (status 204)');
  const words = said ?? (body.trim() === '' ? undefined : body.trim());
  const quote = words === undefined ? '' : `: ${seenText(words, secrets, 300)}`;
  if (status >= 500) return noNumber('failed', `status ${status}${quote}`);
  return noNumber('refused', `status ${status}${hint(status)}${quote}`);
}

function hint(status: number): string {
  if (status === 401 || status === 403) return ', the credentials are missing or wrong';
  if (status === 404) return ', the URL leads to nothing there';
  return status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
}

/** The JSON of an answer, or that it is none. */
export function jsonOf({ body, secrets }: WebAnswer): { readonly value: unknown } | NoNumber {
  if (body.trim() === '') return noNumber('empty', 'the answer has no content');
  return readJson(body) ?? noNumber('unreadable', `expected JSON, got ${seenText(body, secrets)}`);
}
