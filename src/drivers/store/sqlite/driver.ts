// The embedded store: one SQLite file, shared by the server and any number of command lines on one machine.

import { setTimeout as sleep } from 'node:timers/promises';
import { failureCatalogue } from '../../../base/failure-catalogue.ts';
import { Failure } from '../../../base/failure.ts';
import { type Log, silentLog } from '../../../base/log.ts';
import { assertWhole } from '../../../ports/store-rules.ts';
import type { Store } from '../../../ports/store.ts';
import { problemOf } from './database.ts';
import { moved, openDatabase, storeFailure } from './open.ts';
import { readRecords, readRollouts, readScope, readScopes, stepLease, writeChange } from './tables.ts';

export interface SqliteStoreOptions {
  /** Absolute path of the database file; made with its folders where it is missing. */
  readonly file: string;
  readonly log?: Log | undefined;
  /** How long a call waits while other processes write before it rejects with `store.unavailable`; milliseconds. */
  readonly busyMs?: number | undefined;
}

/**
 * Opens the store, making or migrating its file. Throws `store.corrupt` (the file is left as it is), `store.newer`, `store.full`,
 * `store.unavailable`. A commit that has resolved survives the death of the process and of the machine.
 */
export function openSqliteStore(options: SqliteStoreOptions): Store & { close(): void } {
  const { file, log = silentLog, busyMs = 5000 } = options;
  const database = openDatabase(file, log);
  let closed = false;
  let queue: Promise<unknown> = Promise.resolve();

  const attempt = async <T>(work: () => T): Promise<T> => {
    const givesUpAt = performance.now() + busyMs;
    for (;;) {
      if (closed) throw closedFailure(file);
      try {
        return work();
      } catch (error) {
        if (problemOf(error) !== 'busy' || performance.now() >= givesUpAt) throw storeFailure(file, error);
      }
      await sleep(10);
    }
  };
  const read = <T>(work: () => T): Promise<T> => attempt(() => database.read(work));
  /** One after the other, in the order of the calls, also when one has to wait for another process. */
  const write = <T>(work: () => T): Promise<T> => {
    const turn = queue.then(() =>
      attempt(() => {
        if (!database.isInPlace()) throw moved(file);
        return database.write(work);
      }),
    );
    queue = turn.catch(() => undefined);
    return turn;
  };

  return {
    commit: (change) =>
      write(() => {
        assertWhole(change);
        return writeChange(database, change);
      }),
    scopes: (scope) =>
      read(() => (scope === undefined ? readScopes(database) : [scope]).map((each) => readScope(database, each))),
    rollouts: (query) => read(() => readRollouts(database, query)),
    records: (query) => read(() => readRecords(database, query)),
    lease: (request) => write(() => stepLease(database, request)),
    close() {
      closed = true;
      database.close();
    },
  };
}

function closedFailure(file: string): Failure {
  const { remedy } = failureCatalogue['store.unavailable'];
  return new Failure('store.unavailable', `The store ${file} is closed.`, { at: file, remedy });
}
