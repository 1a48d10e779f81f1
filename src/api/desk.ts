// Where what is asked of a controller arrives, by the name of its route; the way it came, HTTP or this process, lies before it.

import type { CallName, StreamName } from './routes.ts';

export interface Desk {
  /** Rejects with `request.invalid` for what the route's schema does not take, and with the controller's failures. */
  call(name: CallName, request: unknown, gone: AbortSignal): Promise<unknown>;
  /** Resolves with what opens the stream, so that a wrong request is refused before; rejects as `call` does. */
  stream(name: StreamName, request: unknown): Promise<(gone: AbortSignal) => AsyncIterable<unknown>>;
}
