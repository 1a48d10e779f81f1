// A worker thread of the benchmark: takes jobs, gives back results.

import { parentPort } from 'node:worker_threads';
import { runJob, type Job } from './jobs.ts';

parentPort?.on('message', ({ id, job }: { id: number; job: Job }) =>
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread of Node, not a browser window
  parentPort?.postMessage({ id, result: runJob(job) }),
);
