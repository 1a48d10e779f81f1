// Whether a release is kept warm only for a moment: what is interrupted is over when it has gone.

import type { Situation } from '../../../src/core/rollout/situation.ts';

const momentMs = 60_000;

export function isCooling({ warm }: Situation): boolean {
  return warm !== undefined && warm.until < Date.now() + momentMs;
}
