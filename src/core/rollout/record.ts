// Records: the lasting account of what happened, one per event of a deployment; the audit, the history and the event stream are made of them.

import type { Scope } from '../scope.ts';
import type { RolloutEvent } from './event.ts';
import type { Status } from './status.ts';

/** Somebody took the service away, which is no deployment's affair; told with the newest one. */
export interface Removed {
  readonly kind: 'removed';
  readonly at: number;
  readonly actor: string;
  readonly reason: string;
}

export type RecordedEvent = RolloutEvent | Removed;

export interface RecordDraft {
  readonly at: number;
  readonly scope: Scope;
  readonly deployment: string;
  /** Version of the rollout that the event led to. */
  readonly version: number;
  readonly from: Status;
  readonly to: Status;
  readonly actor: string;
  readonly event: RecordedEvent;
  /** What happened and why: one or two sentences. */
  readonly words: string;
}

/** A record as the store keeps it. */
export interface EventRecord extends RecordDraft {
  /** Grows over all scopes of a store; gaps are possible. */
  readonly sequence: number;
}
