// What the test of survival and the controller that it kills say to each other.

import type { DeploySpec } from '../../../src/core/plan/spec.ts';
import type { Command } from '../../../src/core/rollout/event.ts';
import type { Scope } from '../../../src/core/scope.ts';

/** Where the controller kills itself: around its n-th commit since the order, counted from 1. */
export interface Trap {
  readonly commit: number;
  readonly side: 'before' | 'after';
  /** Posted while the commit before the trap's is under way, so that it waits for its turn. */
  readonly pending?: Command | undefined;
}

export type Order =
  | { readonly kind: 'deploy'; readonly spec: DeploySpec; readonly label: string; readonly trap?: Trap | undefined }
  | { readonly kind: 'rollback'; readonly scope: Scope; readonly to: string; readonly trap?: Trap | undefined }
  | { readonly kind: 'remove'; readonly scope: Scope; readonly trap?: Trap | undefined }
  | { readonly kind: 'command'; readonly scope: Scope; readonly command: Command };

export type Report =
  | { readonly kind: 'ready' }
  /** The deployment ended and nothing is left to do; or the command was taken. */
  | { readonly kind: 'done'; readonly commits: number }
  | { readonly kind: 'refused'; readonly message: string };
