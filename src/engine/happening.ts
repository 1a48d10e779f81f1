// An event as it happens to the engine: without its time, which the runner adds.

import type { RolloutEvent } from '../core/rollout/event.ts';

export type Happening = RolloutEvent extends infer E ? (E extends RolloutEvent ? Omit<E, 'at'> : never) : never;
