// The store port: keeps deployments, their records, the outbox of effects, the situation of each scope and its lease.

import type { Trial } from '../core/gate/trial.ts';
import type { Effect } from '../core/rollout/effect.ts';
import type { EventRecord, RecordDraft } from '../core/rollout/record.ts';
import type { Rollout } from '../core/rollout/rollout.ts';
import type { Situation } from '../core/rollout/situation.ts';
import type { Scope } from '../core/scope.ts';

/** Who may write to a scope: one controller at a time. */
export interface Lease {
  readonly scope: Scope;
  /** Grows with each new holder; a commit with an older one is refused. */
  readonly fence: number;
  readonly holder: Holder;
  /** Epoch milliseconds when it was acquired, and when it ends unless it is renewed. */
  readonly since: number;
  readonly until: number;
}

/** A controller process, named so that people can find it and others can tell whether it still lives. */
export interface Holder {
  readonly controller: string;
  readonly host: string;
  readonly pid: number;
  /** Start time of the process as the system tells it; with the pid it names one process for ever. */
  readonly started: string;
}

/** Everything that one event changes; written whole or not at all. */
export interface Change {
  readonly scope: Scope;
  readonly fence: number;
  /** Undefined where only the situation changes (a warm release was stopped, routes were renewed). */
  readonly rollout?: Rollout | undefined;
  /** Version that the stored rollout must have now; 0 for a new one. */
  readonly expectedVersion?: number | undefined;
  readonly record?: RecordDraft | undefined;
  /** Put into the outbox. */
  readonly effects: readonly Effect[];
  /** Taken out of the outbox: carried out, or no longer wanted. */
  readonly settled: readonly string[];
  readonly situation?: Situation | undefined;
  /** Takes the place of the one that the scope has. */
  readonly trial?: Trial | undefined;
}

export interface ScopeState {
  readonly situation: Situation;
  /** The deployment under way: the one whose status is not final. */
  readonly active?: Rollout | undefined;
  /** Effects of the outbox, oldest first. */
  readonly outbox: readonly Effect[];
  /** The lease as it stands, whether it has ended or not. */
  readonly lease?: Lease | undefined;
  /** What the traffic showed in the newest deployment that wrote it down; it outlives that deployment. */
  readonly trial?: Trial | undefined;
}

export interface RolloutQuery {
  readonly scope?: Scope | undefined;
  readonly id?: string | undefined;
  /** Newest first; at most so many. */
  readonly limit: number;
}

export interface RecordQuery {
  readonly scope?: Scope | undefined;
  readonly deployment?: string | undefined;
  /** Only records with a greater sequence number. */
  readonly after?: number | undefined;
  /** Oldest first, and of those at most `limit`, where nothing is said. */
  readonly order?: 'newest first' | undefined;
  readonly limit: number;
}

export type LeaseRequest =
  /** Takes the lease when there is none, it has ended at `now`, `dead` says so of its holder, or the holder is the same. */
  | {
      readonly kind: 'acquire';
      readonly scope: Scope;
      readonly holder: Holder;
      readonly now: number;
      readonly forMs: number;
      /** The fence of a lease whose holder is known to be dead; it counts as ended. */
      readonly deadFence?: number | undefined;
    }
  | {
      readonly kind: 'renew';
      readonly scope: Scope;
      readonly fence: number;
      readonly now: number;
      readonly forMs: number;
    }
  | { readonly kind: 'release'; readonly scope: Scope; readonly fence: number };

/**
 * Whether the request was granted, and the lease as it stands now. Renewing or releasing one that was released or taken by another
 * is not granted; a granted release leaves no lease. `store-rules.ts` says what a jumping clock may do.
 */
export interface LeaseAnswer {
  readonly granted: boolean;
  readonly lease?: Lease | undefined;
}

export interface Store {
  /**
   * Writes a change durably and returns its record with its sequence number. Rejects, with nothing changed, with `lease.lost`
   * (another fence, or a released lease), `store.conflict` (another version, one that does not grow, or a second deployment under
   * way in the scope), `store.full`, `store.unavailable`.
   */
  commit(change: Change): Promise<EventRecord | undefined>;
  /**
   * The state of one scope, or of all that the store knows: those with a commit or a lease, in the order of their names. A scope
   * that it does not know has an empty situation.
   */
  scopes(scope?: Scope): Promise<readonly ScopeState[]>;
  rollouts(query: RolloutQuery): Promise<readonly Rollout[]>;
  records(query: RecordQuery): Promise<readonly EventRecord[]>;
  /** One atomic step on the lease of a scope. The fence of a new holder is greater than any before, also after a release. */
  lease(request: LeaseRequest): Promise<LeaseAnswer>;
}
