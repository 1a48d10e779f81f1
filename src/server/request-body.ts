// Reads the body of a request: JSON only, and never more than the contract allows.

import { mediaTypes, requestBytes } from '../api/protocol.ts';
import { RequestFailure } from './answer.ts';

/** The parsed body. Throws a `request.invalid` with status 400, 413 or 415. */
export async function readJson(request: Request): Promise<unknown> {
  const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase();
  // Browsers cannot send this type to another site without asking first, which no answer of ours allows.
  if (type !== mediaTypes.json) {
    throw new RequestFailure(415, `The body is ${type ?? 'of no type'}, not ${mediaTypes.json}.`, 'content-type');
  }
  const text = await readBounded(request);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new RequestFailure(400, `The body is not JSON: ${cause instanceof Error ? cause.message : ''}`, 'body');
  }
}

async function readBounded(request: Request): Promise<string> {
  if (Number(request.headers.get('content-length') ?? 0) > requestBytes) throw tooLong();
  if (request.body === null) return '';
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of request.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > requestBytes) throw tooLong();
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new RequestFailure(400, 'The body is not UTF-8.', 'body');
  }
}

function tooLong(): RequestFailure {
  return new RequestFailure(413, `The body is longer than ${requestBytes} bytes.`, 'body');
}
