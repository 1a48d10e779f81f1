// What Sluice's proxies and files are called in HAProxy, so that people find them and scopes never meet.

import { join } from 'node:path';

import type { Scope } from '../../../../core/scope.ts';

export const proxyPrefix = 'sluice.';

/** `sluice.shop.production`: the frontend, and what the names of all backends begin with. Services have no dots in their names. */
export function proxyName(scope: Scope): string {
  return `${proxyPrefix}${scope.service}.${scope.environment}`;
}

/** The backend of one slot: `sluice.shop.production.a`. */
export function backendName(scope: Scope, slot: string): string {
  return `${proxyName(scope)}.${slot}`;
}

/** One letter each. */
export const mostSlots = 26;

/** The slots that releases are put in: `a`, `b`, `c` … */
export function slotNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => String.fromCodePoint(97 + index));
}

/** The server `b3` of slot `b`; names are unique within a scope, so that the log says where a request went by this name alone. */
export function serverName(slot: string, index: number): string {
  return `${slot}${index}`;
}

/** Files of a scope, in the directory that HAProxy loads. */
export function configFile(directory: string, scope: Scope): string {
  return join(directory, `${scope.service}.${scope.environment}.cfg`);
}

/** The map that goes with one generation of the rules, as written for one revision of the routes. */
export function mapFileName(scope: Scope, generation: string, revision: number): string {
  return `${scope.service}.${scope.environment}.${generation}-${revision}.map`;
}

/** Whether this is a map file of any scope. */
export function isMapFile(path: string): boolean {
  return /\.[0-9a-f]{12}-\d+\.map$/.test(path);
}

/** The generation of which this is a map file of the scope; undefined where it is none. */
export function generationOf(scope: Scope, path: string): string | undefined {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const prefix = `${scope.service}.${scope.environment}.`;
  return name.startsWith(prefix) ? /^([0-9a-f]{12})-\d+\.map$/.exec(name.slice(prefix.length))?.[1] : undefined;
}
