// Waits until NGINX has no connection to some instances any more.

import type { Address } from '../../../core/instance.ts';
import type { Clock } from '../../../ports/clock.ts';
import { connectionsTo } from './connections.ts';
import { idleMs } from './render-upstreams.ts';

export interface DrainRequest {
  readonly addresses: readonly Address[];
  readonly withinMs: number;
  /** The kernel's tables of connections where NGINX runs. */
  readonly tables: () => Promise<string>;
  /** The users that NGINX's workers run as; undefined: not known. */
  readonly users: ReadonlySet<number> | undefined;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

const lookFirstMs = 25;
const lookLastMs = 250;
/** NGINX closes idle connections some time after they are due. */
const lateMs = 500;

/** The number of connections with a request, or upgraded, when the time is up. */
export async function drainConnections(request: DrainRequest): Promise<number> {
  const { addresses, withinMs, tables, users, clock, signal } = request;
  const look = async (): Promise<ReadonlySet<string>> => connectionsTo(addresses, await tables(), users);
  const until = clock.now() + withinMs;
  let pauseMs = lookFirstMs;
  let open = await look();
  while (open.size > 0 && clock.now() < until) {
    await clock.sleep(Math.min(pauseMs, Math.max(1, until - clock.now())), signal);
    signal?.throwIfAborted();
    pauseMs = Math.min(lookLastMs, pauseMs * 2);
    open = await look();
  }
  if (open.size === 0) return 0;
  // What is only kept for a next request is closed by then; what is still there has one.
  await clock.sleep(idleMs + lateMs, signal);
  const later = await look();
  return [...open].filter((connection) => later.has(connection)).length;
}
