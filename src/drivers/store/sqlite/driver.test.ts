// The SQLite store passes the contract on a real file.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { storeContract } from '../../../ports/store.contract.ts';
import { openSqliteStore } from './driver.ts';

storeContract('sqlite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-store-'));
  const file = join(folder, 'state', 'store.db');
  const opened = [openSqliteStore({ file })];
  const [store] = opened;
  if (store === undefined) throw new Error('not opened');
  return {
    store,
    reopen: async () => {
      const another = openSqliteStore({ file });
      opened.push(another);
      return another;
    },
    end: async () => {
      for (const each of opened) each.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
