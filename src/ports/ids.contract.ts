// What every source of names must do.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Ids } from './ids.ts';

export function idsContract(name: string, make: () => Ids): void {
  describe(`${name} ids`, () => {
    it('never gives a name twice', () => {
      const ids = make();
      const names = Array.from({ length: 500 }, () => ids.next('d'));
      assert.equal(new Set(names).size, names.length);
    });

    it('begins a name with its prefix and uses nothing that a file name or an address could not hold', () => {
      const ids = make();
      for (const prefix of ['d', 'i']) assert.match(ids.next(prefix), new RegExp(`^${prefix}-[0-9a-z-]+$`));
    });
  });
}
