// Waits until NGINX has no connection to some instances any more.

import { Failure } from '../../../base/failure.ts';
import type { Address } from '../../../core/instance.ts';
import type { Clock } from '../../../ports/clock.ts';
import { areTables, connectionsTo } from './connections.ts';
import { idleMs } from './render-upstreams.ts';

export interface DrainRequest {
  readonly addresses: readonly Address[];
  readonly withinMs: number;
  /** The kernel's tables of connections where NGINX runs; empty when they cannot be read just now. */
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

/**
 * The number of connections with a request, or upgraded, when the time is up. Rejects with `router.unreachable` where nobody can
 * say by then: who takes that for none breaks what is in flight.
 */
export async function drainConnections(request: DrainRequest): Promise<number> {
  const { addresses, withinMs, tables, users, clock, signal } = request;
  const look = async (): Promise<ReadonlySet<string> | undefined> => {
    const text = await tables();
    return areTables(text) ? connectionsTo(addresses, text, users) : undefined;
  };
  const until = clock.now() + withinMs;
  let pauseMs = lookFirstMs;
  let open = await look();
  while (open?.size !== 0 && clock.now() < until) {
    await clock.sleep(Math.min(pauseMs, Math.max(1, until - clock.now())), signal);
    signal?.throwIfAborted();
    pauseMs = Math.min(lookLastMs, pauseMs * 2);
    open = await look();
  }
  if (open === undefined) throw unseen();
  if (open.size === 0) return 0;
  // What is only kept for a next request is closed by then; what is still there has one.
  await clock.sleep(idleMs + lateMs, signal);
  const later = await look();
  if (later === undefined) throw unseen();
  return [...open].filter((connection) => later.has(connection)).length;
}

function unseen(): Failure {
  return new Failure('router.unreachable', 'The kernel’s table of connections cannot be read where NGINX runs.', {
    at: '/proc/net/tcp',
    remedy: 'Start NGINX’s container, or put `cat` into it; on the machine itself, let Sluice read the file.',
  });
}
