// What the include was rendered from; it stands in the include itself, so that the two cannot come apart.

import * as z from 'zod';

import type { RouteMatch, RouteRule, Routes, Stickiness } from '../../../core/routes.ts';
import { serversOf } from './names.ts';

const longName = z.string().min(1).max(4096);
const equals = z.string().max(4096);
const matchSchema = z.union([
  z.strictObject({ header: longName, equals }),
  z.strictObject({ cookie: longName, equals }),
]);

export const modelSchema = z.strictObject({
  version: z.literal(1),
  scope: z.strictObject({ service: longName, environment: longName }),
  /** Grows with each change of the include. */
  generation: z.int().positive(),
  /** In the paths by which Sluice asks NGINX. */
  askToken: z.string().regex(/^[0-9a-f]{32}$/),
  /** In each line of the feed. */
  feedToken: z.string().regex(/^[0-9a-f]{32}$/),
  feedPort: z.int().min(1).max(65_535),
  /** Sets of servers, the one used last first. */
  slots: z
    .array(z.strictObject({ id: z.int().min(1).max(99), servers: z.array(z.string().max(300)).min(1).max(1000) }))
    .max(16),
  rules: z.array(matchSchema).max(100),
  sticky: z.strictObject({ cookie: longName, maxAgeMs: z.number().min(0) }).optional(),
  /** Nothing is served: requests for the service's names are for others that listen at its address. */
  withdrawn: z.literal(true).optional(),
});

export type Model = z.output<typeof modelSchema>;
export type Slot = Model['slots'][number];

/** Sets that stay in the include although no routes use them now, because the same addresses come back. */
const slotsMax = 12;

/**
 * The model that can serve these routes: the given one where it can already, so that nothing has to be reloaded. Sets of servers,
 * rules and the cookie stay when routes do not need them; they are switched off by the table. `named`: others may listen at its
 * address, for other names; those get its requests until it has something to serve.
 */
export function fitModel(model: Model, routes: Routes, named: boolean): Model {
  const needed = routes.groups.map(({ endpoints }) => serversOf(endpoints)).filter((servers) => servers.length > 0);
  const slots = fitSlots(model.slots, needed);
  const rules = rulesFit(model.rules, routes.rules) ? model.rules : routes.rules.map(({ match }) => match);
  const sticky = fitStickiness(model.sticky, routes.sticky);
  const withdrawn = named && routes.groups.every(({ share }) => share === 0) ? true : undefined;
  const fits = slots === model.slots && rules === model.rules && sticky === model.sticky;
  if (fits && withdrawn === model.withdrawn) return model;
  const { sticky: _formerCookie, withdrawn: _former, ...rest } = model;
  return {
    ...rest,
    slots: [...slots],
    rules: [...rules],
    ...(sticky === undefined ? {} : { sticky }),
    ...(withdrawn === undefined ? {} : { withdrawn }),
  };
}

function fitSlots(slots: readonly Slot[], needed: readonly (readonly string[])[]): readonly Slot[] {
  if (needed.every((servers) => slotOf(slots, servers) !== undefined)) return slots;
  const fitted: Slot[] = [];
  const taken = new Set(slots.map(({ id }) => id));
  for (const servers of needed) {
    if (slotOf(fitted, servers) !== undefined) continue;
    const known = slotOf(slots, servers);
    fitted.push(known ?? { id: lowestFree(taken), servers: [...servers] });
  }
  return [...fitted, ...slots.filter((slot) => !fitted.includes(slot))].slice(0, Math.max(slotsMax, fitted.length));
}

function lowestFree(taken: Set<number>): number {
  let id = 1;
  while (taken.has(id)) id += 1;
  taken.add(id);
  return id;
}

/** The slot with exactly these servers. */
export function slotOf(slots: readonly Slot[], servers: readonly string[]): Slot | undefined {
  const key = servers.join(' ');
  return slots.find((slot) => slot.servers.join(' ') === key);
}

/** Whether the rules are among the rendered ones in the same order. */
function rulesFit(rendered: readonly RouteMatch[], rules: readonly RouteRule[]): boolean {
  return placesOf(rendered, rules).length === rules.length;
}

/** Of each rule, in order, its place among the rendered ones; shorter where one is not there. */
export function placesOf(rendered: readonly RouteMatch[], rules: readonly RouteRule[]): readonly number[] {
  const places: number[] = [];
  let from = 0;
  for (const { match } of rules) {
    const key = matchKey(match);
    const place = rendered.findIndex((other, index) => index >= from && matchKey(other) === key);
    if (place < 0) return places;
    places.push(place);
    from = place + 1;
  }
  return places;
}

function matchKey(match: RouteMatch): string {
  return 'header' in match ? `header ${match.header}=${match.equals}` : `cookie ${match.cookie}=${match.equals}`;
}

function fitStickiness(rendered: Model['sticky'], wanted: Stickiness | undefined): Model['sticky'] {
  if (wanted === undefined) return rendered;
  if (rendered?.cookie === wanted.cookie && rendered.maxAgeMs === wanted.maxAgeMs) return rendered;
  return { cookie: wanted.cookie, maxAgeMs: wanted.maxAgeMs };
}
