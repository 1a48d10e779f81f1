// What an instance's environment has beside the release's own variables: a few of the controller, and what Sluice says about the instance.

import type { Release } from '../../../core/release.ts';
import type { Scope } from '../../../core/scope.ts';
import type { Variables } from '../environment-values.ts';

/** Carries the token of a start, by which a controller finds a process whose start it has not recorded. */
export const tokenVariable = 'SLUICE_INSTANCE_TOKEN';

const inherited = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'] as const;

export function inheritedVariables(own: Variables): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of inherited) {
    const value = own[name];
    if (value !== undefined) variables[name] = value;
  }
  return variables;
}

export interface Placement {
  readonly scope: Scope;
  readonly release: Release;
  readonly instance: string;
  readonly token: string;
  readonly port: number;
}

/** What only Sluice can say; it goes over everything that the release says. */
export function instanceVariables(placement: Placement): Record<string, string> {
  return {
    PORT: String(placement.port),
    SLUICE_SERVICE: placement.scope.service,
    SLUICE_ENVIRONMENT: placement.scope.environment,
    SLUICE_RELEASE: placement.release.id,
    SLUICE_INSTANCE: placement.instance,
    [tokenVariable]: placement.token,
  };
}
