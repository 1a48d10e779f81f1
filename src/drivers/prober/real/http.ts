// One HTTP request with a connection of its own, so that no earlier one's trouble shows in it.

import { Agent, type Dispatcher, errors, request as send } from 'undici';
import type { Answer, NoAnswer } from '../../../core/validation/answer.ts';
import type { Request } from '../../../core/validation/asker.ts';
import { networkProblem } from '../../../base/network-problem.ts';

const usualHeaders = { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'sluice' };

/** Redirects are not followed; the body is read to its end, or until more came than is kept. */
export async function request(wanted: Request, signal: AbortSignal): Promise<Answer | NoAnswer> {
  signal.throwIfAborted();
  const place = wanted.url.host;
  // The caller's signal is the only limit on time.
  const agent = new Agent({
    connections: 1,
    pipelining: 0,
    connectTimeout: 0,
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: {
      rejectUnauthorized: !wanted.toRelease,
      timeout: 0,
      ...(wanted.name === undefined ? {} : { servername: wanted.name }),
    },
  });
  try {
    const response = await send(wanted.url, {
      method: wanted.method,
      headers: {
        ...usualHeaders,
        ...(wanted.name === undefined ? {} : { host: wanted.name }),
        ...lowerCase(wanted.headers),
      },
      ...(wanted.body === undefined ? {} : { body: wanted.body }),
      dispatcher: agent,
      signal,
    });
    return {
      kind: 'answer',
      status: response.statusCode,
      headers: single(response.headers),
      ...(await bodyOf(response, wanted)),
    };
  } catch (thrown) {
    signal.throwIfAborted();
    return { kind: 'none', reason: problemOf(thrown, place) };
  } finally {
    await agent.destroy();
  }
}

function problemOf(thrown: unknown, place: string): string {
  if (thrown instanceof errors.HTTPParserError) return 'the answer is not HTTP';
  const code = (thrown as { readonly code?: unknown } | null)?.code;
  // The message would quote the header.
  if (code === 'UND_ERR_INVALID_ARG') return 'a header or the method of the request cannot be sent';
  return networkProblem(thrown, place);
}

async function bodyOf(
  { body }: Dispatcher.ResponseData,
  { keepBytes }: Request,
): Promise<{ readonly body: string; readonly complete: boolean }> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (keepBytes === 0) continue;
    chunks.push(chunk);
    if (bytes > keepBytes) break;
  }
  const kept = Buffer.concat(chunks).subarray(0, keepBytes);
  return { body: new TextDecoder().decode(kept), complete: keepBytes === 0 || bytes <= keepBytes };
}

function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}

function single(headers: Dispatcher.ResponseData['headers']): Record<string, string> {
  const entries = Object.entries(headers).map(([name, value]): [string, string] => [
    name.toLowerCase(),
    Array.isArray(value) ? value.join(', ') : (value ?? ''),
  ]);
  return Object.fromEntries(entries);
}
