// Puts releases into slots and instances into servers: who is there stays, newcomers get what nobody uses.

import { addressName } from '../../../../core/instance.ts';
import type { Endpoint, Routes } from '../../../../core/routes.ts';
import type { Layout, Room } from './layout.ts';
import { mostSlots, serverName, slotNames } from './names.ts';
import type { RoutesRecord, Seat } from './record.ts';

export interface Placement {
  readonly record: RoutesRecord;
  /** More than the layout has: nothing may be done with the record before it has grown. */
  readonly room: Room;
}

/** `busy`: servers with requests in flight, by name; they are given to others last. */
export function place(
  routes: Routes,
  former: RoutesRecord | undefined,
  layout: Pick<Layout, 'servers'>,
  busy: ReadonlySet<string>,
): Placement {
  const slots = slotsFor(routes, former);
  const seats: Seat[] = [];
  const known = [...(former?.seats ?? []), ...(former?.left ?? [])];
  for (const [slot, release] of Object.entries(slots)) {
    const endpoints = routes.groups.find((group) => group.release === release)?.endpoints ?? [];
    seats.push(...seatsIn(slot, endpoints, { known, former: former?.seats ?? [], layout, busy }));
  }
  const taken = new Set(seats.map(nameOfSeat));
  const left = known.filter((seat) => !taken.has(nameOfSeat(seat)));
  const room = {
    slots: Math.max(0, ...Object.keys(slots).map((slot) => slotNames(mostSlots).indexOf(slot) + 1)),
    servers: Math.max(0, ...seats.map((seat) => seat.index)),
  };
  return { record: { routes, slots, seats, left: unique(left) }, room };
}

/** The name of the server that an instance sits in. */
export function nameOfSeat(seat: Seat): string {
  return serverName(seat.slot, seat.index);
}

/** Which instance sits where, to be compared. */
export function seatText(seat: Seat): string {
  return `${nameOfSeat(seat)} ${seat.instance} ${addressName(seat.address)}`;
}

function slotsFor(routes: Routes, former: RoutesRecord | undefined): { [slot: string]: string } {
  const wanted = routes.groups.filter((group) => group.endpoints.length > 0).map((group) => group.release);
  const slots: { [slot: string]: string } = {};
  for (const [slot, release] of Object.entries(former?.slots ?? {}))
    if (wanted.includes(release)) slots[slot] = release;
  // A slot that may have traffic until the switch is not given to another release at once.
  const free = slotNames(mostSlots).filter((slot) => former?.slots[slot] === undefined);
  for (const release of wanted) {
    if (Object.values(slots).includes(release)) continue;
    const slot = free.shift();
    if (slot !== undefined) slots[slot] = release;
  }
  return slots;
}

interface SeatPlan {
  readonly known: readonly Seat[];
  readonly former: readonly Seat[];
  readonly layout: Pick<Layout, 'servers'>;
  readonly busy: ReadonlySet<string>;
}

function seatsIn(slot: string, endpoints: readonly Endpoint[], plan: SeatPlan): readonly Seat[] {
  const seats: Seat[] = [];
  const newcomers: Endpoint[] = [];
  for (const endpoint of endpoints) {
    const seat = plan.known.find(
      (there) =>
        there.slot === slot &&
        there.instance === endpoint.instance &&
        addressName(there.address) === addressName(endpoint.address),
    );
    if (seat === undefined) newcomers.push(endpoint);
    else seats.push(seat);
  }
  const taken = new Set([...seats, ...plan.former.filter((seat) => seat.slot === slot)].map((seat) => seat.index));
  const isBusy = (index: number): boolean => plan.busy.has(serverName(slot, index));
  const all = Array.from({ length: plan.layout.servers }, (_, index) => index + 1).filter((index) => !taken.has(index));
  const order = [...all.filter((index) => !isBusy(index)), ...beyond(plan, endpoints.length)];
  for (const { instance, address } of newcomers) {
    const index = order.shift();
    if (index !== undefined) seats.push({ slot, index, instance, address });
  }
  return seats;
}

/** Servers that there would be in a larger layout. */
function beyond(plan: SeatPlan, count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => plan.layout.servers + 1 + index);
}

function unique(seats: readonly Seat[]): Seat[] {
  return [...new Map(seats.map((seat) => [nameOfSeat(seat), seat])).values()];
}
