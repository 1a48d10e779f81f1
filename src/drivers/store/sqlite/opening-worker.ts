// A thread of the test that opens one new file from several sides: waits for the others, opens, writes, tells what came of it.

import { parentPort, workerData } from 'node:worker_threads';
import { holdLease } from '../../../ports/store-samples.ts';
import { openSqliteStore } from './driver.ts';

const { file, environment, arrived, threads } = workerData as {
  readonly file: string;
  readonly environment: string;
  readonly arrived: Int32Array<SharedArrayBuffer>;
  readonly threads: number;
};

Atomics.add(arrived, 0, 1);
while (Atomics.load(arrived, 0) < threads) Atomics.wait(arrived, 1, 0, 1);
try {
  const store = openSqliteStore({ file });
  await holdLease(store, { service: 'shop', environment });
  store.close();
  parentPort?.postMessage('written', []);
} catch (error) {
  parentPort?.postMessage(String(error), []);
}
