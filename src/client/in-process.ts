// A controller in this process: asked at its desk, without HTTP in between.

import type { Desk } from '../api/desk.ts';
import { apiVersion } from '../api/protocol.ts';
import type { ItemOf, ReplyOf } from '../api/routes.ts';
import type { Line } from './client.ts';

export function inProcess(desk: Desk): Line {
  return {
    call: async (name, request, signal = new AbortController().signal) => {
      signal.throwIfAborted();
      try {
        return copyOf(await desk.call(name, copyOf(request), signal)) as ReplyOf<typeof name>;
      } catch (error) {
        throw signal.aborted ? signal.reason : error;
      }
    },
    async *stream(name, request, signal) {
      const left = new AbortController();
      try {
        const open = await desk.stream(name, copyOf(request));
        for await (const item of open(AbortSignal.any([signal, left.signal])))
          yield copyOf(item) as ItemOf<typeof name>;
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        left.abort();
      }
    },
    health: async () => ({ status: 'ok', api: apiVersion }),
    close: async () => {},
  };
}

/** As it would arrive from elsewhere: nobody holds on to what belongs to the other side. */
function copyOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
