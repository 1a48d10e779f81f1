// Where a deployment happens: one service in one environment. Lock, lease, routes and instances are all kept per scope.

export interface Scope {
  readonly service: string;
  readonly environment: string;
}

/** `shop/production`: the text by which people and the store name a scope. */
export function scopeName(scope: Scope): string {
  return `${scope.service}/${scope.environment}`;
}

export function sameScope(a: Scope, b: Scope): boolean {
  return a.service === b.service && a.environment === b.environment;
}
