import assert from 'node:assert/strict';
import { it } from 'node:test';

import { Reckoning } from './reckoning.ts';

it('what is missing at two looks in a row is lost, once', () => {
  const reckoning = new Reckoning();
  assert.deepEqual(
    [
      [100, 7],
      [200, 100],
      [300, 197],
      [400, 297],
    ].map(([total = 0, received = 0]) => reckoning.look(total, received)),
    [0, 0, 7, 3],
  );
});

it('lines that were only late are not lost', () => {
  const reckoning = new Reckoning();
  assert.deepEqual([reckoning.look(0, 0), reckoning.look(500, 20), reckoning.look(900, 900)], [0, 0, 0]);
});

it('what is known to be lost already is not told again', () => {
  const reckoning = new Reckoning();
  reckoning.look(0, 0);
  reckoning.know(10);
  assert.deepEqual([reckoning.look(100, 90), reckoning.look(200, 188), reckoning.look(300, 288)], [0, 0, 2]);
});

it('a router that counts anew is followed', () => {
  const reckoning = new Reckoning();
  reckoning.look(1000, 0);
  reckoning.look(2000, 900);
  assert.deepEqual([reckoning.look(5, 905), reckoning.look(10, 908), reckoning.look(20, 918)], [0, 0, 2]);
});
