// One HTTP request of a check.

import { askingProblem, askOnce } from '../../../base/ask-once.ts';
import type { Answer, NoAnswer } from '../../../core/validation/answer.ts';
import type { Request } from '../../../core/validation/asker.ts';

const usualHeaders = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'sluice' };

/** Redirects are not followed; the body is read to its end, or until more came than is kept. */
export async function request(wanted: Request, signal: AbortSignal): Promise<Answer | NoAnswer> {
  signal.throwIfAborted();
  const { url, method, name, headers, body, toRelease, keepBytes } = wanted;
  try {
    const answer = await askOnce({
      url,
      method,
      headers: { ...usualHeaders, ...(name === undefined ? {} : { host: name }), ...lowerCase(headers) },
      body,
      tls: { rejectUnauthorized: !toRelease, ...(name === undefined ? {} : { servername: name }) },
      keepBytes,
      signal,
    });
    return { kind: 'answer', ...answer };
  } catch (thrown) {
    signal.throwIfAborted();
    return { kind: 'none', reason: askingProblem(thrown, url.host).words };
  }
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
