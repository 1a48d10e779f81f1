// Names that stand for scopes, releases and addresses in NGINX's configuration and on the disk.

import { createHash } from 'node:crypto';

import { type Address, addressName } from '../../../core/instance.ts';
import type { ReleaseId } from '../../../core/release.ts';
import { type Scope, scopeName } from '../../../core/scope.ts';
import type { Endpoint } from '../../../core/routes.ts';

/**
 * Before every variable, map and upstream of a scope. It is short however long the scope's name is: PCRE takes no more than 32
 * characters for the name of a group, and a long variable does not fit into NGINX's table of them.
 */
export function prefixOf(scope: Scope): string {
  return `sluice_${digest(scopeName(scope), 12)}`;
}

/** What stands for a release in a visitor's cookie and in a table; tells a visitor nothing about the release. */
export function releaseToken(scope: Scope, release: ReleaseId): string {
  return digest(`${scopeName(scope)} ${release}`, 16);
}

/**
 * The name of a server that only Sluice asks by, beside the users' own. It is needed where users' names go to somebody else, and short: NGINX
 * refuses names that do not fit into 64 bytes.
 */
export function ownName(token: string): string {
  return `${token.slice(0, 16)}.sluice`;
}

export function digest(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length);
}

/** As NGINX writes it in its log. */
export function serverName(address: Address): string {
  return addressName(address);
}

/** The servers of an upstream, each once, in an order that does not depend on that of the instances. */
export function serversOf(endpoints: readonly Endpoint[]): readonly string[] {
  return [...new Set(endpoints.map(({ address }) => serverName(address)))].sort();
}
