// Effects: what the engine has to do in the world. Each is idempotent and is issued again after a crash.

import type { Endpoint, Routes } from '../routes.ts';
import type { ReleaseId } from '../release.ts';
import type { CheckOutcome } from '../validation/check.ts';
import type { Role, Through } from '../plan/step.ts';

export type EffectAction =
  | { readonly kind: 'stage' }
  | { readonly kind: 'ensure'; readonly role: Role; readonly instances: number; readonly timeoutMs: number }
  | { readonly kind: 'validate'; readonly role: Role; readonly through: Through }
  | { readonly kind: 'apply'; readonly routes: Routes; readonly forever: boolean }
  | { readonly kind: 'drain'; readonly instances: readonly string[]; readonly withinMs: number }
  | {
      readonly kind: 'stop';
      readonly release: ReleaseId;
      /** Undefined: all of the release. */
      readonly instances?: readonly string[] | undefined;
      /** All of the release but these, instances included whose start was never reported. */
      readonly except?: readonly string[] | undefined;
      readonly graceMs: number;
    };

/** An effect as it lies in the outbox. Ids are `deployment#number` and never used twice. */
export interface Effect {
  readonly id: string;
  readonly action: EffectAction;
}

/** What an effect brought back. */
export type EffectResult =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'endpoints'; readonly endpoints: readonly Endpoint[] }
  | { readonly kind: 'checks'; readonly outcomes: readonly CheckOutcome[] }
  | { readonly kind: 'drained'; readonly cut: number };
