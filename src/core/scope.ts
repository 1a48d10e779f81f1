// Where a deployment happens: one service in one environment. Lock, lease, routes and instances are all kept per scope.

import { failureCatalogue } from '../base/failure-catalogue.ts';
import { Failure } from '../base/failure.ts';

export interface Scope {
  readonly service: string;
  readonly environment: string;
}

/** `shop/production`: the text by which people and the store name a scope. */
export function scopeName(scope: Scope): string {
  return `${scope.service}/${scope.environment}`;
}

/** For a question about a scope in which nothing ever was. */
export function unknownService(scope: Scope): Failure {
  return new Failure('service.unknown', `nothing was ever deployed in ${scopeName(scope)}`, {
    at: scopeName(scope),
    remedy: failureCatalogue['service.unknown'].remedy,
  });
}

export function sameScope(a: Scope, b: Scope): boolean {
  return a.service === b.service && a.environment === b.environment;
}
