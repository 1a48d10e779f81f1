// What HAProxy is told of the routes, as the entries of its map: one line that decides where requests go, and the routes whole, to be read back.

import { createHash } from 'node:crypto';

import * as z from 'zod';

import { canonicalJson } from '../../../../base/canonical-json.ts';
import type { ReleaseId } from '../../../../core/release.ts';
import { allTraffic, type RouteGroup, type Routes } from '../../../../core/routes.ts';
import { type Scope, scopeName } from '../../../../core/scope.ts';
import { type Layout, nameOf, positionsOf } from './layout.ts';
import { mostSlots, slotNames } from './names.ts';

const name = z.string().min(1).max(1024);
const address = z.strictObject({ host: z.string().min(1).max(255), port: z.int().min(1).max(65_535) });

const routesSchema: z.ZodType<Routes> = z.strictObject({
  scope: z.strictObject({ service: name, environment: name }),
  revision: z.int().min(0),
  groups: z
    .array(
      z.strictObject({
        release: name,
        share: z.int().min(0).max(allTraffic),
        endpoints: z.array(z.strictObject({ instance: name, address })).max(10_000),
      }),
    )
    .max(mostSlots),
  rules: z
    .array(
      z.strictObject({
        release: name,
        match: z.union([
          z.strictObject({ header: name, equals: z.string().max(8192) }),
          z.strictObject({ cookie: name, equals: z.string().max(8192) }),
        ]),
      }),
    )
    .max(200),
  sticky: z.strictObject({ cookie: name, maxAgeMs: z.int().min(0) }).optional(),
  preview: name.optional(),
  health: z
    .strictObject({ path: z.string().max(4096), intervalMs: z.int().min(1), timeoutMs: z.int().min(1) })
    .optional(),
});

/** An instance in a server of HAProxy. */
const seatSchema = z.strictObject({
  slot: z.string().regex(/^[a-z]$/),
  index: z.int().min(1).max(10_000),
  instance: name,
  address,
});

export type Seat = z.infer<typeof seatSchema>;

/** Routes with where HAProxy has what they name. */
export const recordSchema = z.strictObject({
  routes: routesSchema,
  /** The release of each slot that is in use. */
  slots: z.record(z.string().regex(/^[a-z]$/), name),
  /** The servers of all endpoints. */
  seats: z.array(seatSchema).max(10_000),
  /** Servers that requests may still be in flight to. */
  left: z.array(seatSchema).max(10_000),
});

export type RoutesRecord = z.infer<typeof recordSchema>;

/** The head of the deciding line. */
export interface Head {
  readonly revision: number;
  /** Of the routes: one revision cannot stand for two. */
  readonly digest: string;
}

/** The entry that decides. */
export const decidingKey = 'routes';

/** Before the fields of each slot: format, revision, digest, whether connections are to be closed, age of the cookie, slot of the preview. */
export const headFields = 6;
const closingField = 3;
/** Of each slot: up to which number of the dice it is chosen, its cookie, its release for the log. */
export const slotFields = 3;
/** Of each rule: what the value's SHA-1 must be, and the slot. */
export const ruleFields = 2;

const none = '-';

export function digestOf(routes: Routes): string {
  return createHash('sha256').update(canonicalJson(routes)).digest('hex').slice(0, 16);
}

/** The cookie that keeps visitors at a release. */
export function cookieOf(scope: Scope, release: ReleaseId): string {
  return createHash('sha256')
    .update(`${scopeName(scope)} ${release}`)
    .digest('hex')
    .slice(0, 16);
}

/** One line, changed by one order: whatever HAProxy looks up for a request is of one revision. */
export function decidingLine({ routes, slots }: RoutesRecord, layout: Layout, closing: boolean): string {
  const slotOf = new Map(Object.entries(slots).map(([slot, release]) => [release, slot]));
  const served = routes.groups.filter((group) => group.endpoints.length > 0);
  const reachable = (release: ReleaseId | undefined): string =>
    served.some((group) => group.release === release) ? (slotOf.get(release ?? '') ?? none) : none;
  const maxAge = String(Math.round((routes.sticky?.maxAgeMs ?? 0) / 1000));
  return [
    'v1',
    String(routes.revision),
    digestOf(routes),
    closing ? '1' : '0',
    maxAge,
    reachable(routes.preview),
    ...slotTexts(routes, served, layout, slots),
    ...ruleTexts(routes, layout, reachable),
  ].join(':');
}

/** The same line, where answers ask their clients to close the connection, or do so no more. */
export function closingLine(line: string, closing: boolean): string {
  return line
    .split(':')
    .with(closingField, closing ? '1' : '0')
    .join(':');
}

function slotTexts(
  routes: Routes,
  served: readonly RouteGroup[],
  layout: Layout,
  slots: Readonly<{ [slot: string]: ReleaseId }>,
): readonly string[] {
  const total = served.reduce((sum, group) => sum + group.share, 0);
  let before = 0;
  return slotNames(layout.slots).flatMap((slot) => {
    const release = slots[slot];
    const group = served.find((candidate) => candidate.release === release);
    // The share of releases without instances falls to the others.
    before += group === undefined ? 0 : group.share;
    const threshold = total === 0 ? 0 : Math.round((before * allTraffic) / total);
    const keeps = routes.sticky !== undefined && group !== undefined && group.share > 0;
    return [
      String(threshold),
      keeps ? cookieOf(routes.scope, group.release) : none,
      release === undefined ? none : Buffer.from(release).toString('base64url'),
    ];
  });
}

function ruleTexts(routes: Routes, layout: Layout, reachable: (release: ReleaseId) => string): readonly string[] {
  const positions = positionsOf(
    layout.rules,
    routes.rules.map(({ match }) => nameOf(match)),
  );
  const texts = layout.rules.map(() => [none, none]);
  for (const [index, { release, match }] of routes.rules.entries()) {
    const slot = reachable(release);
    const hash = createHash('sha1').update(match.equals).digest('hex').toUpperCase();
    // A rule whose release has no instances refuses nobody.
    if (slot !== none) texts[positions?.[index] ?? -1]?.splice(0, 2, hash, slot);
  }
  return texts.flat();
}

/** Undefined where it is not such a line. */
export function headOf(line: string | undefined): Head | undefined {
  const match = /^v1:(\d{1,15}):([0-9a-f]{16}):/.exec(line ?? '');
  return match === null ? undefined : { revision: Number(match[1]), digest: match[2] ?? '' };
}

const partLength = 4_000;

/** The entries that hold the record of one revision; values must be short enough for HAProxy's input buffer. */
export function recordEntries(record: RoutesRecord): ReadonlyMap<string, string> {
  const text = Buffer.from(JSON.stringify(record)).toString('base64url');
  const parts = Math.ceil(text.length / partLength);
  return new Map(
    Array.from({ length: parts }, (_, part) => [
      `${recordPrefix(record.routes)}${part}.${parts}`,
      text.slice(part * partLength, (part + 1) * partLength),
    ]),
  );
}

export function isRecordKey(key: string): boolean {
  return key.startsWith('record.');
}

function recordPrefix(routes: Routes): string {
  return `record.${routes.revision}.${digestOf(routes)}.`;
}

/** The record that goes with the deciding line; undefined where the map does not hold it whole. */
export function recordIn(entries: ReadonlyMap<string, string>): RoutesRecord | undefined {
  const head = headOf(entries.get(decidingKey));
  if (head === undefined) return undefined;
  const prefix = `record.${head.revision}.${head.digest}.`;
  const parts: string[] = [];
  for (const [key, value] of entries) {
    const match = key.startsWith(prefix) ? /^(\d+)\.(\d+)$/.exec(key.slice(prefix.length)) : null;
    if (match !== null) parts[Number(match[1])] = value;
  }
  try {
    const text = Buffer.from(parts.join(''), 'base64url').toString('utf8');
    const record = recordSchema.parse(JSON.parse(text));
    return digestOf(record.routes) === head.digest ? record : undefined;
  } catch {
    // What somebody changed by hand is no record; the next routes write it anew.
    return undefined;
  }
}
