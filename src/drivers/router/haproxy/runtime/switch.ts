// Moves a scope's traffic by orders alone: servers that are new first, then the one line that decides, then what left. Each order can be the last.

import { Failure } from '../../../../base/failure.ts';
import { addressName } from '../../../../core/instance.ts';
import type { Layout } from '../config/layout.ts';
import { backendName } from '../config/names.ts';
import { nameOfSeat, seatText } from '../config/placement.ts';
import {
  decidingKey,
  decidingLine,
  isRecordKey,
  recordEntries,
  type RoutesRecord,
  type Seat,
} from '../config/record.ts';
import { seatEntries } from '../config/render.ts';
import { refused, type ServerState } from './replies.ts';
import type { RuntimeSession } from './session.ts';
import { mustBeSilent, readServers, type RunningState } from './state.ts';

/** One map of HAProxy, with what is known to be in it. */
export class LiveMap {
  readonly #session: RuntimeSession;
  readonly #name: string;
  readonly #entries: Map<string, string>;

  constructor(session: RuntimeSession, { map, entries }: Pick<RunningState, 'map' | 'entries'>) {
    this.#session = session;
    this.#name = map;
    this.#entries = new Map(entries);
  }

  get keys(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** In this order, and sent at once. */
  async put(entries: Iterable<readonly [key: string, value: string]>): Promise<void> {
    const changed = [...entries].filter(([key, value]) => this.#entries.get(key) !== value);
    const orders = changed.map(
      ([key, value]) => `${this.#entries.has(key) ? 'set' : 'add'} map ${this.#name} ${key} ${value}`,
    );
    await mustBeSilent(this.#session, orders);
    for (const [key, value] of changed) this.#entries.set(key, value);
  }

  async remove(key: string): Promise<void> {
    await mustBeSilent(this.#session, [`del map ${this.#name} ${key}`]);
    this.#entries.delete(key);
  }
}

/** Everything before the switch, and the switch. Until its last order the former routes are in force, and from it on these. */
export async function switchTo(
  session: RuntimeSession,
  map: LiveMap,
  record: RoutesRecord,
  layout: Layout,
  former: RoutesRecord | undefined,
): Promise<void> {
  // Where every instance is in force already, as on most ways back, traffic moves first and its servers are looked at behind it.
  const there = new Set(former?.seats.map(seatText));
  if (!record.seats.every((seat) => there.has(seatText(seat)))) await seat(session, map, record);
  await map.put([...recordEntries(record), [decidingKey, decidingLine(record, layout, false)]]);
}

/** Makes every server serve its instance. */
async function seat(session: RuntimeSession, map: LiveMap, record: RoutesRecord): Promise<void> {
  const servers = await readServers(session, record.routes.scope);
  const changed = record.seats.filter((seat) => !serves(servers.get(nameOfSeat(seat)), seat));
  const names = seatEntries(record);
  for (const seat of changed) {
    const name = nameOfSeat(seat);
    const server = serverOf(record, seat);
    // A server that serves another address takes no request while it moves.
    if (servers.get(name)?.admitted === true) await mustBeSilent(session, [`set server ${server} state maint`]);
    await map.put([[name, names.get(name) ?? '-']]);
    await moveTo(session, server, seat);
    await mustBeSilent(session, [`set server ${server} state ready`]);
  }
  if (changed.length > 0) await verify(session, record, changed);
}

/** Whatever is not as the routes in force need it, and what only the former routes needed. */
export async function tidy(session: RuntimeSession, map: LiveMap, record: RoutesRecord): Promise<void> {
  await seat(session, map, record);
  const seats = new Set(record.seats.map(nameOfSeat));
  const servers = await readServers(session, record.routes.scope);
  for (const [name, { admitted, backend }] of servers) {
    if (admitted && !seats.has(name)) await mustBeSilent(session, [`set server ${backend}/${name} state maint`]);
  }
  const needed = recordEntries(record);
  for (const key of map.keys) if (isRecordKey(key) && !needed.has(key)) await map.remove(key);
}

/** Whether requests that the server is given reach the instance. */
export function serves(server: ServerState | undefined, seat: Seat): boolean {
  return (
    server !== undefined &&
    server.admitted &&
    addressName({ host: server.host, port: server.port }) === addressName(seat.address)
  );
}

function serverOf({ routes: { scope } }: RoutesRecord, seat: Seat): string {
  return `${backendName(scope, seat.slot)}/${nameOfSeat(seat)}`;
}

async function moveTo(session: RuntimeSession, server: string, { address }: Seat): Promise<void> {
  const order = `set server ${server} addr ${address.host} port ${address.port}`;
  const answer = await session.command(order);
  // Such as: "IP changed from '127.0.0.1' to '10.0.0.7', port changed from '1' to '8080' by 'stats socket command'".
  if (!/^(?:IP changed|no need to change).*by 'stats socket command'$/.test(answer.trim()))
    throw refused(order, answer);
}

async function verify(session: RuntimeSession, record: RoutesRecord, seats: readonly Seat[]): Promise<void> {
  const servers = await readServers(session, record.routes.scope);
  const wrong = seats.find((seat) => !serves(servers.get(nameOfSeat(seat)), seat));
  if (wrong === undefined) return;
  throw new Failure(
    'router.refused',
    `HAProxy did not take ${addressName(wrong.address)} as the address of ${serverOf(record, wrong)}.`,
    { remedy: 'Only IP addresses can be given to a running HAProxy; look at `show servers state` for what it has.' },
  );
}
