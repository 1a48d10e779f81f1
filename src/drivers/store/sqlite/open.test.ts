// Opening a SQLite store: what is made, what is refused, and that what is refused stays as it is.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { Failure } from '../../../base/failure.ts';
import type { FailureCode } from '../../../base/failure-catalogue.ts';
import { aChange, aRollout, holdLease } from '../../../ports/store-samples.ts';
import { Database } from './database.ts';
import { openSqliteStore } from './driver.ts';
import { temporaryFile } from './temporary-file.ts';

function refuses(file: string, code: FailureCode): Failure {
  try {
    openSqliteStore({ file }).close();
  } catch (error) {
    assert.ok(error instanceof Failure, String(error));
    assert.equal(error.code, code);
    assert.equal(error.at, file);
    return error;
  }
  assert.fail(`opened instead of failing with ${code}`);
}

/** A store with some deployments in it, closed. */
async function filledStore(file: string): Promise<void> {
  const store = openSqliteStore({ file });
  const fence = await holdLease(store);
  for (let version = 1; version <= 50; version += 1) await store.commit(aChange(fence, aRollout('d-1', version)));
  store.close();
}

function withDatabase(file: string, work: (database: Database) => void): void {
  const database = new Database({ file, readOnly: false, busyMs: 100 });
  try {
    work(database);
  } finally {
    database.close();
  }
}

/** Opens a new file from several threads at the same moment; what each of them tells. */
async function openAtOnce(file: string, threads: number): Promise<readonly unknown[]> {
  const arrived = new Int32Array(new SharedArrayBuffer(8));
  const answers = Array.from({ length: threads }, async (_, index) => {
    const data = { file, environment: `e-${index}`, arrived, threads };
    const worker = new Worker(new URL('opening-worker.ts', import.meta.url), { workerData: data });
    const [answer] = (await once(worker, 'message')) as [unknown];
    await worker.terminate();
    return answer;
  });
  return Promise.all(answers);
}

describe('opening a sqlite store', () => {
  it('makes file and folder readable by their owner only', async (context) => {
    const file = temporaryFile(context);
    const store = openSqliteStore({ file });
    await holdLease(store);
    const modes = [file, `${file}-wal`, `${file}-shm`, dirname(file)].map((path) => statSync(path).mode & 0o777);
    assert.deepEqual(modes, [0o600, 0o600, 0o600, 0o700]);
    store.close();
  });

  it('takes up an empty file, as a crash before the first write leaves it', async (context) => {
    const file = temporaryFile(context);
    mkdirSync(dirname(file));
    writeFileSync(file, '');
    await filledStore(file);
    const store = openSqliteStore({ file });
    assert.equal((await store.records({ limit: 100 })).length, 50);
    store.close();
  });

  it('refuses a file that is no database and leaves it as it is', (context) => {
    const file = temporaryFile(context);
    mkdirSync(dirname(file));
    const words = 'these are notes of somebody else\n'.repeat(1000);
    writeFileSync(file, words);
    refuses(file, 'store.corrupt');
    assert.equal(readFileSync(file, 'utf8'), words);
  });

  it('refuses the database of another program and leaves it as it is', (context) => {
    const file = temporaryFile(context);
    mkdirSync(dirname(file));
    withDatabase(file, (database) => database.execute('CREATE TABLE notes (text TEXT)'));
    const before = readFileSync(file);
    assert.match(refuses(file, 'store.corrupt').message, /another program/);
    assert.deepEqual(readFileSync(file), before);
  });

  it('refuses a file whose pages are damaged and leaves it as it is', async (context) => {
    const file = temporaryFile(context);
    await filledStore(file);
    const bytes = readFileSync(file);
    for (let offset = 8192; offset < bytes.length; offset += 512) bytes.fill(0xa5, offset, offset + 64);
    writeFileSync(file, bytes);
    refuses(file, 'store.corrupt');
    assert.deepEqual(readFileSync(file), bytes);
  });

  it('refuses a file that was cut off', async (context) => {
    const file = temporaryFile(context);
    await filledStore(file);
    const bytes = readFileSync(file);
    writeFileSync(file, bytes.subarray(0, Math.floor(bytes.length / 2)));
    refuses(file, 'store.corrupt');
  });

  it('refuses the file of a newer version, names both versions and leaves it as it is', async (context) => {
    const file = temporaryFile(context);
    await filledStore(file);
    withDatabase(file, (database) => database.execute('PRAGMA user_version = 99'));
    const before = readFileSync(file);
    assert.match(refuses(file, 'store.newer').message, /version 99.*up to 2/);
    assert.deepEqual(readFileSync(file), before);
  });

  it('says so when the path is a folder or leads through a file', (context) => {
    const file = temporaryFile(context);
    mkdirSync(file, { recursive: true });
    refuses(file, 'store.unavailable');
    const through = `${temporaryFile(context)}/store.db`;
    mkdirSync(dirname(dirname(through)));
    writeFileSync(dirname(through), 'a file');
    refuses(through, 'store.unavailable');
  });

  it('says so when it may not write', { skip: process.getuid?.() === 0 && 'root may write anywhere' }, (context) => {
    const file = temporaryFile(context);
    mkdirSync(dirname(file));
    chmodSync(dirname(file), 0o500);
    refuses(file, 'store.unavailable');
  });

  it('is opened by several at once, also for the first time', async (context) => {
    const file = temporaryFile(context);
    const opened = Array.from({ length: 5 }, () => openSqliteStore({ file }));
    const [first, second] = opened;
    await holdLease(first ?? assert.fail());
    assert.equal((await second?.scopes())?.length, 1);
    for (const store of opened) store.close();
  });

  it('is made whole when several open it for the first time at the same moment', async (context) => {
    for (let round = 0; round < 8; round += 1) {
      const file = temporaryFile(context);
      assert.deepEqual(await openAtOnce(file, 4), ['written', 'written', 'written', 'written']);
      const store = openSqliteStore({ file });
      assert.equal((await store.scopes()).length, 4);
      store.close();
    }
  });
});
