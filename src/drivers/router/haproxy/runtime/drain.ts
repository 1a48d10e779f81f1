// Waits for the requests in flight on servers to end, and cuts what is left when the time is up.

import type { Scope } from '../../../../core/scope.ts';
import type { Clock } from '../../../../ports/clock.ts';
import { backendName } from '../config/names.ts';
import { nameOfSeat } from '../config/placement.ts';
import type { Seat } from '../config/record.ts';
import type { RuntimeSession } from './session.ts';
import { mustBeSilent, readInFlight, readRunning } from './state.ts';

export interface Drain {
  readonly scope: Scope;
  readonly instances: readonly string[];
  readonly withinMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** Runs something over a connection of its own, so that a reload between two looks does no harm. */
type InSession = <T>(act: (session: RuntimeSession) => Promise<T>) => Promise<T>;

const pollMs = 50;
/** What was cut is gone within this time, or never. */
const cutMs = 2_000;

export async function drainSeats(drain: Drain, inSession: InSession): Promise<number> {
  const { clock, signal, withinMs } = drain;
  const until = clock.now() + withinMs;
  for (;;) {
    const { left, seats } = await inSession((session) => look(session, drain));
    if (left === 0) return 0;
    if (clock.now() >= until) return cut(drain, seats, left, inSession);
    await clock.sleep(Math.min(pollMs, Math.max(1, until - clock.now())), signal);
    signal?.throwIfAborted();
  }
}

async function look(
  session: RuntimeSession,
  { scope, instances }: Drain,
): Promise<{ readonly left: number; readonly seats: readonly Seat[] }> {
  const record = (await readRunning(session, scope))?.record;
  const known = [...(record?.seats ?? []), ...(record?.left ?? [])];
  const seats = known.filter(({ instance }) => instances.includes(instance));
  if (seats.length === 0) return { left: 0, seats };
  const inFlight = await readInFlight(session, scope);
  return { left: seats.reduce((sum, seat) => sum + (inFlight.get(nameOfSeat(seat)) ?? 0), 0), seats };
}

async function cut(drain: Drain, seats: readonly Seat[], left: number, inSession: InSession): Promise<number> {
  const { scope, clock } = drain;
  await inSession(async (session) => {
    await mustBeSilent(
      session,
      seats.map((seat) => `shutdown sessions server ${backendName(scope, seat.slot)}/${nameOfSeat(seat)}`),
    );
  });
  for (let waited = 0; waited < cutMs; waited += pollMs) {
    if ((await inSession((session) => look(session, drain))).left === 0) break;
    await clock.sleep(pollMs);
  }
  return left;
}
