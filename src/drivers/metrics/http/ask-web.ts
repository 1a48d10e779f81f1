// One GET request with a connection, credentials and trust of its own, bounded in time and size.

import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { askingProblem, askOnce } from '../../../base/ask-once.ts';
import { readFileBounded, readSecret, type SecretReference } from '../../../base/secret-reference.ts';
import { type NoNumber, noNumber } from '../../../core/metrics/question.ts';
import type { WebSource } from '../../../core/metrics/source.ts';
import type { AskWeb, WebAnswer } from '../../../core/metrics/web.ts';

export interface AskWebOptions {
  /** Where `fromEnvironment` is looked up. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

const longestAnswerBytes = 256 * 1024;

/** Credentials are read anew each time, so that one that is exchanged is used from then on. */
export function createAskWeb({ variables }: AskWebOptions): AskWeb {
  return async (source, url, signal) => {
    signal.throwIfAborted();
    const given = await headersOf(source, variables);
    if ('kind' in given) return given;
    const ca = source.ca === undefined ? undefined : await readFileBounded(source.ca);
    if (ca !== undefined && 'problem' in ca) return noNumber('misconfigured', ca.problem);
    if (ca !== undefined && !isCertificate(ca.value))
      return noNumber('misconfigured', `the file ${source.ca} is no certificate`);
    return ask(source, url, { ...given, ca: ca?.value }, signal);
  };
}

interface Given {
  readonly headers: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly ca?: string | undefined;
}

async function ask(
  source: WebSource,
  url: URL,
  { headers, secrets, ca }: Given,
  signal: AbortSignal,
): Promise<WebAnswer | NoNumber> {
  const limit = AbortSignal.timeout(source.withinMs);
  try {
    const { status, body, complete } = await askOnce({
      url,
      method: 'GET',
      headers: { accept: 'application/json', 'accept-encoding': 'identity', 'user-agent': 'sluice', ...headers },
      ...(ca === undefined ? {} : { tls: { ca: [...rootCertificates, ca] } }),
      keepBytes: longestAnswerBytes,
      signal: AbortSignal.any([signal, limit]),
    });
    if (!complete) return noNumber('too-large', 'the answer is longer than 256 KiB');
    return { kind: 'answer', status, body, secrets };
  } catch (thrown) {
    signal.throwIfAborted();
    if (limit.aborted) return noNumber('timed-out', `no answer within ${source.withinMs / 1000} s`);
    const { kind, words } = askingProblem(thrown, url.host);
    if (kind === 'not-http') return noNumber('unreadable', words);
    if (kind === 'unsendable') return noNumber('misconfigured', 'a header cannot be sent as it is');
    return noNumber('unreachable', words);
  }
}

/** What is none would be left out in silence, and the server then be a stranger. */
function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== '';
  } catch {
    return false;
  }
}

async function headersOf(source: WebSource, variables: AskWebOptions['variables']): Promise<Given | NoNumber> {
  const { credentials } = source;
  const wanted: [string, string | SecretReference][] = Object.entries(source.headers);
  if (credentials !== undefined)
    wanted.push(['authorization', credentials.kind === 'bearer' ? credentials.token : credentials.password]);
  const headers: Record<string, string> = {};
  const secrets: string[] = [];
  for (const [name, value] of wanted) {
    const read = typeof value === 'string' ? { value } : await readSecret(value, variables);
    if ('problem' in read) return noNumber('misconfigured', read.problem);
    if (typeof value !== 'string') secrets.push(read.value);
    headers[name.toLowerCase()] = read.value;
  }
  const secret = headers['authorization'];
  if (credentials === undefined || secret === undefined) return { headers, secrets };
  const basic = credentials.kind === 'basic' ? Buffer.from(`${credentials.user}:${secret}`).toString('base64') : '';
  headers['authorization'] = credentials.kind === 'bearer' ? `Bearer ${secret}` : `Basic ${basic}`;
  return { headers, secrets: [...secrets, ...(basic === '' ? [] : [basic])] };
}
