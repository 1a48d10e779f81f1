// An answer that goes on: items of an async iterable as they come, signs of life in between, an end when the client is gone.

import { failureLineOf, lineOf } from '../api/lines.ts';
import { heartbeatMs, mediaTypes } from '../api/protocol.ts';
import { type FailureData, failureData } from '../base/failure.ts';
import type { Log } from '../base/log.ts';
import { commonHeaders } from './answer.ts';

/** How items look on the wire. */
export interface StreamFormat {
  readonly mediaType: string;
  readonly item: (item: unknown) => string;
  readonly heartbeat: string;
  readonly failure: (data: FailureData) => string;
}

export const lineFormat: StreamFormat = {
  mediaType: mediaTypes.lines,
  item: lineOf,
  heartbeat: '\n',
  failure: failureLineOf,
};

export interface StreamOptions {
  /** The items; ends when the signal aborts. */
  readonly items: (signal: AbortSignal) => AsyncIterable<unknown>;
  /** Aborts when the client is gone. */
  readonly gone: AbortSignal;
  readonly format: StreamFormat;
  readonly log: Log;
  /** Defaults to the contract's; milliseconds. */
  readonly heartbeatMs?: number | undefined;
}

/** Reads an item only when the client has taken the one before: a slow client costs no memory. */
export function streamAnswer(options: StreamOptions): Response {
  const { format, gone } = options;
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const iterator = options.items(ended.signal)[Symbol.asyncIterator]();
  const next = nextOrHeartbeat(iterator, options.heartbeatMs ?? heartbeatMs);
  const encoder = new TextEncoder();
  gone.addEventListener('abort', end, { once: true });
  if (gone.aborted) end();
  const finish = (): void => {
    gone.removeEventListener('abort', end);
    ended.abort();
  };
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const result = await next();
        if (result === 'heartbeat') return controller.enqueue(encoder.encode(format.heartbeat));
        if (result.done !== true) return controller.enqueue(encoder.encode(format.item(result.value)));
      } catch (error) {
        if (!ended.signal.aborted) controller.enqueue(encoder.encode(format.failure(told(error, options.log))));
      }
      finish();
      controller.close();
    },
    cancel() {
      finish();
      iterator.return?.().catch((error: unknown) => told(error, options.log));
    },
  });
  // Proxies on the way must not wait for more before they pass it on.
  const headers = { ...commonHeaders, 'content-type': format.mediaType, 'x-accel-buffering': 'no' };
  return new Response(body, { headers });
}

/** Whether an answer goes on until somebody ends it. */
export function isStream(answer: Response): boolean {
  const type = answer.headers.get('content-type');
  return type === mediaTypes.lines || type === mediaTypes.events;
}

function told(error: unknown, log: Log): FailureData {
  const data = failureData(error);
  log.write(data.code === 'internal' ? 'error' : 'info', 'stream failed', { code: data.code, message: data.message });
  return data;
}

/** The next item, or `heartbeat` when none came for a while; the item that was waited for is not lost. */
function nextOrHeartbeat(
  iterator: AsyncIterator<unknown>,
  afterMs: number,
): () => Promise<IteratorResult<unknown> | 'heartbeat'> {
  let pending: Promise<IteratorResult<unknown>> | undefined;
  return async () => {
    pending ??= iterator.next();
    const { promise: silence, resolve } = Promise.withResolvers<'heartbeat'>();
    const timer = setTimeout(() => resolve('heartbeat'), afterMs);
    try {
      const result = await Promise.race([pending, silence]);
      if (result !== 'heartbeat') pending = undefined;
      return result;
    } finally {
      clearTimeout(timer);
    }
  };
}
