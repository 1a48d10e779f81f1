// `npm run bench:gates`: our gate and the rules of others on the same simulated traffic, with the goals it was built to reach.
// Flags: --full (within 15 min on two cores), --runs N (trials per cell), --workers N, --seed N.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { assessGoals } from './gates/goals.ts';
import { fullRuns, planJobs, usualRuns, type Runs } from './gates/plan.ts';
import { runJobs } from './gates/pool.ts';
import { report } from './gates/report.ts';
import { collect } from './gates/results.ts';

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    runs: { type: 'string' },
    workers: { type: 'string' },
    seed: { type: 'string', default: '1' },
  },
});

const chosen: Runs = values.full ? fullRuns : usualRuns;
const times = values.runs === undefined ? chosen.healthy : Number(values.runs);
const runs: Runs = { ...chosen, healthy: times };
const workers = values.workers === undefined ? Math.min(2, availableParallelism()) : Number(values.workers);
const jobs = planJobs(runs, Number(values.seed));
const began = performance.now();
const results = await runJobs(jobs, workers, (done) => {
  if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${jobs.length} jobs`);
});
if (process.stderr.isTTY) process.stderr.write('\r\u001B[K');
const collected = collect(jobs, results);
const goals = assessGoals(collected);
console.log(report(collected, goals));
const seconds = Math.round((performance.now() - began) / 1000);
console.log(
  `\nseed ${values.seed}, ${times} hours a cell, ${workers} workers, ${seconds} s, Node ${process.versions.node}`,
);
process.exitCode = goals.every(({ met }) => met) ? 0 : 1;
