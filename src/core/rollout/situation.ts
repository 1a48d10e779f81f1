// The situation of a scope between deployments: which release is trusted, which runs warm, what was good before.

import type { DeploySpec } from '../plan/spec.ts';
import type { Release } from '../release.ts';
import type { Scope } from '../scope.ts';

/** A release with the specification that it was deployed with. */
export interface Placement {
  readonly release: Release;
  readonly spec: DeploySpec;
  readonly deployment: string;
  readonly instances: number;
  /** Epoch milliseconds when it became stable. */
  readonly since: number;
}

export interface Situation {
  readonly scope: Scope;
  /** The release that has the traffic when no deployment is under way. */
  readonly stable?: Placement | undefined;
  /** The release that was stable before: what `rollback` goes back to. */
  readonly lastGood?: Placement | undefined;
  /** A release without traffic whose instances still run, so that going back to it is one switch. */
  readonly warm?: { readonly placement: Placement; readonly until: number } | undefined;
  /** Revision of the newest routes of this scope. */
  readonly revision: number;
  /** What looks on after a promotion, and until when. */
  readonly watch?: { readonly deployment: string; readonly until: number } | undefined;
}

export function emptySituation(scope: Scope): Situation {
  return { scope, revision: 0 };
}
