// The scopes that a person means, out of those that the controller knows.

import { type Scope, scopeName } from '../core/scope.ts';
import type { Client, ScopeStatus } from './context.ts';

/** Ordered by name. A scope that is named whole is asked for alone. */
export async function statusOf(client: Client, filter: Partial<Scope>): Promise<readonly ScopeStatus[]> {
  const { service, environment } = filter;
  const exact = service !== undefined && environment !== undefined ? { service, environment } : undefined;
  const all = await client.status(exact);
  return all
    .filter(({ situation: { scope } }) => isMeant(scope, filter))
    .toSorted((a, b) => (scopeName(a.situation.scope) < scopeName(b.situation.scope) ? -1 : 1));
}

export function isMeant(scope: Scope, { service, environment }: Partial<Scope>): boolean {
  return (
    (service === undefined || scope.service === service) &&
    (environment === undefined || scope.environment === environment)
  );
}
