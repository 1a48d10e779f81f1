// Names that count up: for tests and the simulation.

import type { Ids } from '../../ports/ids.ts';

export function createSequentialIds(): Ids {
  let last = 0;
  return {
    next(prefix) {
      last += 1;
      return `${prefix}-${String(last).padStart(6, '0')}`;
    },
  };
}
