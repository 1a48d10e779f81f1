import assert from 'node:assert/strict';
import { it } from 'node:test';

import * as fc from 'fast-check';

import { Reckoning } from './reckoning.ts';

type Numbers = readonly [total: number, before: number, after?: number];

const missing = (reckoning: Reckoning, looks: readonly Numbers[]): number[] =>
  looks.map(([total, before, after = before]) => reckoning.look({ total, before, after }));

it('what is missing is lost, once', () => {
  assert.deepEqual(
    missing(new Reckoning(), [
      [100, 0],
      [200, 100],
      [300, 193],
      [400, 290],
      [500, 390],
    ]),
    [0, 0, 7, 3, 0],
  );
});

it('lines that are under way are not lost, whether traffic goes on or ends', () => {
  assert.deepEqual(
    missing(new Reckoning(), [
      [0, 0, 100],
      [1000, 990, 1100],
      [2000, 1990, 2000],
      [2000, 2000],
    ]),
    [0, 0, 0, 0],
  );
});

it('whatever is under way when, without a loss none is told, and with one never more than there was', () => {
  const step = fc.record({
    finished: fc.nat(1000),
    lost: fc.nat(20),
    late: fc.nat(50),
    early: fc.nat(50),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
      const reckoning = new Reckoning();
      let [total, lost, told] = [0, 0, 0];
      for (const { finished, lost: more, late, early } of steps) {
        total += finished;
        lost += Math.min(finished, more);
        const came = total - lost;
        told += reckoning.look({ total, before: Math.max(0, came - late), after: came + early });
        assert.ok(told <= lost, `told of ${told} of ${lost}`);
      }
      told += reckoning.look({ total, before: total - lost, after: total - lost });
      assert.ok(told <= lost);
    }),
  );
});

it('what is known to be lost already is not told again', () => {
  const reckoning = new Reckoning();
  reckoning.look({ total: 0, before: 0, after: 0 });
  reckoning.know(10);
  assert.deepEqual(
    missing(reckoning, [
      [100, 90],
      [200, 188],
      [300, 288],
    ]),
    [0, 2, 0],
  );
});

it('a router that counts anew is followed', () => {
  assert.deepEqual(
    missing(new Reckoning(), [
      [1000, 0],
      [2000, 900],
      [5, 905],
      [10, 908],
      [20, 918],
    ]),
    [0, 100, 0, 2, 0],
  );
});
