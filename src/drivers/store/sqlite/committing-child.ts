// A process of the crash test: commits for ever and prints the version of each commit that was acknowledged.

import { writeSync } from 'node:fs';
import { aChange, aRollout, anEffect, holdLease, shop } from '../../../ports/store-samples.ts';
import { openSqliteStore } from './driver.ts';

const [file = '', controller = ''] = process.argv.slice(2);
const store = openSqliteStore({ file });
// Each child comes an hour after the one before, so that the dead one's lease has ended.
const fence = await holdLease(store, shop, controller, Number(controller) * 3_600_000);
const [state] = await store.scopes(shop);
const reason = 'x'.repeat(20_000);
for (let version = (state?.active?.version ?? 0) + 1; ; version += 1) {
  const effects = [anEffect(`d-1#${version}`)];
  const settled = [`d-1#${version - 1}`];
  await store.commit(aChange(fence, aRollout('d-1', version, { reason }), { effects, settled }));
  writeSync(1, `${version}\n`);
}
