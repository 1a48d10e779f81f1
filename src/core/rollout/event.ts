// Events: everything that can happen to a deployment. Time and actor arrive inside them.

import type { FailureData } from '../../base/failure.ts';
import type { Judgement } from '../gate/verdict.ts';
import type { Role } from '../plan/step.ts';
import type { Endpoint } from '../routes.ts';
import type { EffectResult } from './effect.ts';

/** What a person can order while a deployment is under way. */
export type Command =
  | { readonly kind: 'promote'; readonly full: boolean }
  | { readonly kind: 'pause'; readonly reason: string }
  | { readonly kind: 'resume' }
  | { readonly kind: 'abort'; readonly reason: string };

interface Happened {
  /** Epoch milliseconds; never smaller than the event before it. */
  readonly at: number;
  /** Who caused it: a person (`user@host`) or `sluice`. */
  readonly actor: string;
}

export type RolloutEvent = Happened &
  (
    | {
        readonly kind: 'started';
        /** Why, where somebody said. */
        readonly reason?: string | undefined;
        /** Epoch milliseconds of the first sign that the release before was bad, for a rollback that began by itself. */
        readonly badSince?: number | undefined;
      }
    | { readonly kind: 'effect-done'; readonly effect: string; readonly result: EffectResult }
    | { readonly kind: 'effect-failed'; readonly effect: string; readonly failure: FailureData }
    /** An effect failed and is tried again; told once per effect. */
    | { readonly kind: 'effect-retried'; readonly effect: string; readonly failure: FailureData }
    /** The time that the state was waiting for has come. */
    | { readonly kind: 'time-came' }
    /** The evidence of a hold changed what can be said. */
    | {
        readonly kind: 'judged';
        /** The hold it speaks of: `Rollout.hold.id`. */
        readonly hold: string;
        readonly judgement: Judgement;
        readonly minimumsReached: boolean;
      }
    /** Instances of a release ended or moved; these are the ones that run now. */
    | {
        readonly kind: 'fleet-changed';
        readonly role: Role;
        readonly endpoints: readonly Endpoint[];
        readonly reason: string;
      }
    /** The release on trial lost instances and could not keep them running. */
    | { readonly kind: 'candidate-lost'; readonly failure: FailureData }
    | Command
    /** A controller took the deployment up after the one before it ended. */
    | { readonly kind: 'recovered'; readonly previous: string }
  );

export type EventKind = RolloutEvent['kind'];
