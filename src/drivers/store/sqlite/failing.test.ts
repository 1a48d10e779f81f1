// The SQLite store when something fails under it: a full disk, a busy file, damaged rows, a file that is gone.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { aChange, aRollout, anEffect, holdLease, rejectsWith } from '../../../ports/store-samples.ts';
import type { Store } from '../../../ports/store.ts';
import { Database } from './database.ts';
import { openSqliteStore } from './driver.ts';
import { storeFailure } from './open.ts';
import { writeChange } from './tables.ts';
import { temporaryFile } from './temporary-file.ts';

const long = 'x'.repeat(50_000);

/** Commits versions from `from` on until one fails; the version that failed. */
async function commitUntilItFails(store: Store, fence: number, from: number): Promise<number> {
  for (let version = from; version < from + 1000; version += 1) {
    const change = aChange(fence, aRollout('d-1', version, { reason: long }), {
      effects: [anEffect(`d-1#${version}`)],
      settled: [`d-1#${version - 1}`],
    });
    try {
      await store.commit(change);
    } catch {
      await rejectsWith(store.commit(change), 'store.full');
      return version;
    }
  }
  return assert.fail('the disk never filled up');
}

async function assertWholeAt(store: Store, version: number): Promise<void> {
  const [state] = await store.scopes();
  assert.equal(state?.active?.version, version);
  assert.deepEqual(state.outbox, [anEffect(`d-1#${version}`)]);
  const records = await store.records({ limit: 10_000 });
  assert.deepEqual(
    records.map((record) => record.version),
    Array.from({ length: version }, (_, index) => index + 1),
  );
}

/** Whether a small file system can be mounted here. */
function canMount(): string | false {
  try {
    const folder = '/tmp/sluice-mount-try';
    mkdirSync(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    rmSync(folder, { recursive: true });
    return false;
  } catch {
    return 'a small file system can be mounted by root only';
  }
}

describe('sqlite store under trouble', () => {
  it(
    'rejects with store.full on a full disk, keeps what was committed, goes on when there is space',
    { skip: canMount() },
    async (context) => {
      const folder = dirname(temporaryFile(context));
      mkdirSync(folder);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', folder]);
      const file = join(folder, 'store.db');
      const ballast = join(folder, 'ballast');
      try {
        writeFileSync(ballast, Buffer.alloc(500_000));
        const store = openSqliteStore({ file });
        const fence = await holdLease(store);
        const failed = await commitUntilItFails(store, fence, 1);
        await assertWholeAt(store, failed - 1);
        rmSync(ballast);
        const later = await commitUntilItFails(store, fence, failed);
        assert.ok(later > failed);
        await assertWholeAt(store, later - 1);
        store.close();
        const again = openSqliteStore({ file });
        await assertWholeAt(again, later - 1);
        again.close();
      } finally {
        execFileSync('umount', ['--lazy', folder]);
      }
    },
  );

  it('translates SQLITE_FULL and changes nothing', async (context) => {
    const file = temporaryFile(context);
    const store = openSqliteStore({ file });
    context.after(() => store.close());
    const fence = await holdLease(store);
    await store.commit(aChange(fence, aRollout('d-1', 1), { effects: [anEffect('d-1#1')] }));
    const database = new Database({ file, readOnly: false, busyMs: 100 });
    database.execute(`PRAGMA max_page_count = ${String(database.pragma('page_count'))}`);
    const big = aChange(fence, aRollout('d-1', 2, { reason: long }), { settled: ['d-1#1'] });
    await rejectsWith(
      Promise.try(() => writeOrFail(file, () => database.write(() => writeChange(database, big)))),
      'store.full',
    );
    database.close();
    await assertWholeAt(store, 1);
  });

  it('waits for another process that writes, and rejects with store.unavailable when that takes too long', async (context) => {
    const file = temporaryFile(context);
    const store = openSqliteStore({ file, busyMs: 300 });
    const patient = openSqliteStore({ file, busyMs: 60_000 });
    const other = new Database({ file, readOnly: false, busyMs: 0 });
    context.after(() => [store, patient, other].forEach((each) => each.close()));
    other.execute('BEGIN IMMEDIATE');
    assert.match((await rejectsWith(holdLease(store), 'store.unavailable')).message, /Another process/);
    const waiting = holdLease(patient);
    assert.deepEqual(await store.scopes(), [], 'reading goes on meanwhile');
    other.execute('ROLLBACK');
    assert.equal(await waiting, 1);
  });

  it('keeps the order of calls when it has to wait', async (context) => {
    const file = temporaryFile(context);
    const store = openSqliteStore({ file });
    const other = new Database({ file, readOnly: false, busyMs: 0 });
    context.after(() => [store, other].forEach((each) => each.close()));
    const fence = await holdLease(store);
    other.execute('BEGIN IMMEDIATE');
    const commits = [1, 2, 3].map((version) => store.commit(aChange(fence, aRollout('d-1', version))));
    setTimeout(() => other.execute('ROLLBACK'), 150);
    assert.deepEqual(
      (await Promise.all(commits)).map((record) => record?.version),
      [1, 2, 3],
    );
  });

  it('rejects with store.corrupt when a row does not say what its columns say', async (context) => {
    const file = temporaryFile(context);
    const store = openSqliteStore({ file });
    const other = new Database({ file, readOnly: false, busyMs: 100 });
    context.after(() => [store, other].forEach((each) => each.close()));
    await store.commit(aChange(await holdLease(store), aRollout('d-1', 1), { effects: [anEffect('d-1#1')] }));
    other.execute(`UPDATE rollouts SET version = 5`);
    await rejectsWith(store.rollouts({ limit: 1 }), 'store.corrupt');
    other.execute(`UPDATE records SET body = 'no json'`);
    await rejectsWith(store.records({ limit: 1 }), 'store.corrupt');
    other.execute(`UPDATE rollouts SET version = 1`);
    other.execute(`UPDATE outbox SET body = '[]'`);
    await rejectsWith(store.scopes(), 'store.corrupt');
  });

  it('refuses to write to a file that was moved away, and any call after it was closed', async (context) => {
    const file = temporaryFile(context);
    const store = openSqliteStore({ file });
    const fence = await holdLease(store);
    renameSync(file, `${file}.old`);
    assert.match(
      (await rejectsWith(store.commit(aChange(fence, aRollout('d-1', 1))), 'store.unavailable')).message,
      /moved/,
    );
    store.close();
    store.close();
    await rejectsWith(store.scopes(), 'store.unavailable');
  });
});

function writeOrFail<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw storeFailure(file, error);
  }
}
