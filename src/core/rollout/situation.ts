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

/** What somebody ordered who takes a service away. */
export interface Removal {
  /** Epoch milliseconds. */
  readonly at: number;
  /** `user@host`. */
  readonly actor: string;
  readonly reason: string;
  /** Says where its instances and its routes are. */
  readonly spec: DeploySpec;
  /** Whether all of it is gone. */
  readonly finished: boolean;
}

export interface Situation {
  readonly scope: Scope;
  /** The release that has the traffic when no deployment is under way. */
  readonly stable?: Placement | undefined;
  /** Releases that were stable before, the last known good one first: what `rollback` goes back to. At most `earlierKept`. */
  readonly earlier: readonly Placement[];
  /** A release without traffic whose instances still run, so that going back to it is one switch. */
  readonly warm?: { readonly placement: Placement; readonly until: number } | undefined;
  /** Revision of the newest routes of this scope. */
  readonly revision: number;
  /** The deployment that FAILED with the traffic on both releases: nothing is moved or stopped until the next one has ended. */
  readonly leftBy?: string | undefined;
  /** What looks on after a promotion, and until when. */
  readonly watch?: { readonly deployment: string; readonly until: number } | undefined;
  /** The service was taken away, or is being; until something is deployed again. */
  readonly removal?: Removal | undefined;
}

/** How many earlier stable releases a situation remembers. */
export const earlierKept = 10;

export function emptySituation(scope: Scope): Situation {
  return { scope, earlier: [], revision: 0 };
}

/** Nothing is trusted with traffic any more. What was good stays known: after the next deployment it can be gone back to. */
export function takenAway(situation: Situation, removal: Removal): Situation {
  const { scope, revision, removal: before } = situation;
  // Routes that lead nowhere are new ones, unless they were ordered before.
  return { scope, earlier: goodOf(situation), revision: before === undefined ? revision + 1 : revision, removal };
}

/** The releases that were good, stable included, the newest first. */
export function goodOf({ stable, earlier }: Situation): readonly Placement[] {
  if (stable === undefined) return earlier;
  return [stable, ...earlier.filter(({ release }) => release.id !== stable.release.id)].slice(0, earlierKept);
}

/** What `rollback` goes back to when it is told no release. */
export function lastGood(situation: Situation): Placement | undefined {
  return situation.earlier[0];
}
