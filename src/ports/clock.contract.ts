// What every clock must do.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Clock } from './clock.ts';

export interface ClockHarness {
  readonly clock: Clock;
  /** Lets time pass until the promise settles. */
  readonly until: <T>(promise: Promise<T>) => Promise<T>;
}

export function clockContract(name: string, make: () => ClockHarness): void {
  describe(`${name} clock`, () => {
    it('has gone on by at least the time slept', async () => {
      const { clock, until } = make();
      const before = clock.now();
      await until(clock.sleep(5));
      // One millisecond of grace: timers and the wall clock round differently.
      assert.ok(clock.now() - before >= 4);
    });

    it('returns at once, and without an error, when the signal aborts', async () => {
      const { clock, until } = make();
      const stop = new AbortController();
      const slept = clock.sleep(3_600_000, stop.signal);
      stop.abort();
      await until(slept);
      await until(clock.sleep(3_600_000, stop.signal));
      assert.ok(true);
    });

    it('takes a negative duration as none', async () => {
      const { clock, until } = make();
      await until(clock.sleep(-5));
      assert.ok(true);
    });

    it('wakes sleepers in the order of their times', async () => {
      const { clock, until } = make();
      const woken: string[] = [];
      const late = clock.sleep(30).then(() => woken.push('late'));
      const early = clock.sleep(5).then(() => woken.push('early'));
      await until(Promise.all([late, early]));
      assert.deepEqual(woken, ['early', 'late']);
    });
  });
}
