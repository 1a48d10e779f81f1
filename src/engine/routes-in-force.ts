// The routes that a router has, where one that does not answer counts as having none: then they are put in force anew.

import { Failure } from '../base/failure.ts';
import type { Routes } from '../core/routes.ts';
import { scopeName, type Scope } from '../core/scope.ts';
import type { Router } from '../ports/router.ts';
import type { Dependencies } from './dependencies.ts';

export async function routesInForce(deps: Dependencies, router: Router, scope: Scope): Promise<Routes | undefined> {
  try {
    return await router.read(scope);
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== 'router.unreachable') throw error;
    deps.log.write('error', 'the router does not answer', { scope: scopeName(scope), error: error.toJSON() });
    return undefined;
  }
}
