// The layout: everything in the configuration that only a reload can change. It only grows, so that going back never needs a reload.

import { createHash, randomBytes } from 'node:crypto';

import * as z from 'zod';

import { canonicalJson } from '../../../../base/canonical-json.ts';
import { Failure } from '../../../../base/failure.ts';
import type { HaproxyRouterSpec } from '../../../../core/plan/spec.ts';
import type { RouteMatch, Routes } from '../../../../core/routes.ts';
import { mostSlots } from './names.ts';

const address = z.strictObject({ host: z.string().min(1).max(255), port: z.int().min(1).max(65_535) });

/** Whose value a rule compares; which value and where it leads stands in the map. */
const ruleName = z.union([
  z.strictObject({ header: z.string().max(256) }),
  z.strictObject({ cookie: z.string().max(256) }),
]);

export type RuleName = z.infer<typeof ruleName>;

export const layoutSchema = z.strictObject({
  version: z.literal(1),
  listen: address,
  preview: address.optional(),
  /** Where HAProxy sends a line for each finished request. */
  feed: address,
  /** Marks these lines: whoever reaches the feed's port, but cannot read the configuration, cannot write one. */
  feedToken: z.string().regex(/^[0-9a-f]{32}$/),
  idleMs: z.int().min(1),
  answerMs: z.int().min(1),
  trustForwarded: z.boolean(),
  /** Releases that can have traffic side by side, with those of the change before. */
  slots: z.int().min(2).max(mostSlots),
  /** Servers of each slot. */
  servers: z.int().min(1).max(10_000),
  rules: z.array(ruleName).max(200),
  cookie: z.string().max(256).optional(),
});

export type Layout = z.infer<typeof layoutSchema>;

/** How many releases and instances the routes and what is still in use need room for. */
export interface Room {
  readonly slots: number;
  readonly servers: number;
}

const usualSlots = 3;
const usualServers = 10;

/** The layout that has room for these routes, kept as it is where it has. Without a former one it is another one each time. */
export function layoutFor(spec: HaproxyRouterSpec, routes: Routes, former: Layout | undefined, room: Room): Layout {
  const cookie = routes.sticky?.cookie ?? former?.cookie;
  return {
    version: 1,
    listen: spec.listen,
    ...(spec.preview === undefined ? {} : { preview: spec.preview }),
    feed: spec.feed.reach,
    feedToken: former?.feedToken ?? randomBytes(16).toString('hex'),
    idleMs: spec.limits.idleMs,
    answerMs: spec.limits.answerMs,
    trustForwarded: spec.trustForwarded,
    slots: grown(room.slots, former?.slots ?? usualSlots, 1),
    servers: grown(room.servers, former?.servers ?? usualServers, 2),
    rules: withRules(
      former?.rules ?? [],
      routes.rules.map(({ match }) => nameOf(match)),
    ),
    ...(cookie === undefined ? {} : { cookie: checkedName(cookie) }),
  };
}

function grown(needed: number, there: number, factor: number): number {
  return needed <= there ? there : needed * factor;
}

/**
 * Rules are compared in the order of the layout, so the wanted names must be found in it in their order; as long as they are, no
 * reload is needed. Names that are not wanted now cost nothing but a comparison.
 */
function withRules(former: readonly RuleName[], wanted: readonly RuleName[]): RuleName[] {
  return positionsOf(former, wanted) === undefined ? [...former, ...wanted].slice(-mostRules) : [...former];
}

const mostRules = 200;

/** For each wanted name its place in the layout, rising; undefined where they do not all have one. */
export function positionsOf(layout: readonly RuleName[], wanted: readonly RuleName[]): readonly number[] | undefined {
  const positions: number[] = [];
  for (const name of wanted) {
    const from = (positions.at(-1) ?? -1) + 1;
    const position = layout.findIndex((there, index) => index >= from && canonicalJson(there) === canonicalJson(name));
    if (position < 0) return undefined;
    positions.push(position);
  }
  return positions;
}

export function nameOf(match: RouteMatch): RuleName {
  return 'header' in match ? { header: checkedName(match.header) } : { cookie: checkedName(match.cookie) };
}

/** Such names stand in the configuration as they are. */
export const plainName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/;

function checkedName(name: string): string {
  if (plainName.test(name)) return name;
  throw new Failure('plan.unsupported', `HAProxy cannot be given the header or cookie name ${JSON.stringify(name)}`, {
    at: 'strategy.canary',
    remedy: 'Use letters, digits, dashes, dots and underscores.',
  });
}

/** Counts the ways in which configurations have been written, so that a new one is loaded too. */
const format = 2;

/** Names a layout by what it holds; HAProxy tells by the name of its map which one it has loaded. */
export function generationName(layout: Layout): string {
  return createHash('sha256').update(canonicalJson({ layout, format })).digest('hex').slice(0, 12);
}
