// Runs jobs on a few worker threads, each taking the next one as soon as it is done with the last.

import { Worker } from 'node:worker_threads';
import type { Job, JobResult } from './jobs.ts';

/** Results in the order of the jobs; `onDone` hears how many are finished. */
export async function runJobs(
  jobs: readonly Job[],
  workers: number,
  onDone: (done: number) => void,
): Promise<JobResult[]> {
  const results: JobResult[] = [];
  let [next, done] = [0, 0];
  const work = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const give = (): void => {
        const job = jobs[next];
        if (job === undefined) return resolve();
        // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread of Node, not a browser window
        worker.postMessage({ id: next, job });
        next += 1;
      };
      worker.on('error', reject);
      worker.on('message', ({ id, result }: { id: number; result: JobResult }) => {
        results[id] = result;
        onDone((done += 1));
        give();
      });
      give();
    });
  const pool = Array.from({ length: workers }, () => new Worker(new URL('worker.ts', import.meta.url)));
  try {
    await Promise.all(pool.map(work));
  } finally {
    await Promise.all(pool.map((worker) => worker.terminate()));
  }
  return results;
}
