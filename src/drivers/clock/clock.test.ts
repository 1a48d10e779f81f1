// Both clocks pass the contract.

import { clockContract } from '../../ports/clock.contract.ts';
import { SimulatedClock } from './simulated-clock.ts';
import { systemClock } from './system-clock.ts';

clockContract('system', () => ({ clock: systemClock, until: (promise) => promise }));

clockContract('simulated', () => {
  const clock = new SimulatedClock(1_700_000_000_000);
  return {
    clock,
    until: async (promise) => {
      const settled = { yet: false };
      const watched = promise.finally(() => (settled.yet = true));
      for (;;) {
        await new Promise(setImmediate);
        if (settled.yet || !clock.step()) return watched;
      }
    },
  };
});
