// `npm run simulate -- --seeds 20000`: many seeds on all cores; prints the seeds that break something.

import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { SliceResult } from './worker.ts';

const { values } = parseArgs({
  options: {
    /** How many seeds. */
    seeds: { type: 'string', default: '2000' },
    /** The first seed. */
    from: { type: 'string', default: '1' },
  },
});

const seeds = Number(values.seeds);
const from = Number(values.from);
const workers = Math.min(availableParallelism(), seeds);
const startedAt = Date.now();

console.log(`simulating ${seeds} seeds from ${from} on ${workers} cores`);
const slices = await Promise.all(Array.from({ length: workers }, (_, index) => slice(index)));
report(slices);

function slice(index: number): Promise<SliceResult> {
  const { promise, resolve, reject } = Promise.withResolvers<SliceResult>();
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { first: from + index, step: workers, last: from + seeds - 1 },
  });
  worker.once('message', resolve);
  worker.once('error', reject);
  return promise;
}

function report(results: readonly SliceResult[]): void {
  const sum = (pick: (result: SliceResult) => number) => results.reduce((total, result) => total + pick(result), 0);
  const ends = new Map<string, number>();
  for (const result of results)
    for (const [end, count] of Object.entries(result.ends)) ends.set(end, (ends.get(end) ?? 0) + count);
  const seconds = (Date.now() - startedAt) / 1000;
  console.log(
    `${sum((result) => result.seeds)} seeds, ${sum((result) => result.deployments)} deployments, ${sum((result) => result.crashes)} crashes and freezes, ${sum((result) => result.steps)} steps in ${seconds.toFixed(1)} s`,
  );
  for (const [end, count] of [...ends].toSorted(([a], [b]) => a.localeCompare(b)))
    console.log(`  ${end.padEnd(24)} ${count}`);
  const violations = results.flatMap((result) => result.violations);
  console.log(`${violations.length} violations`);
  for (const violation of violations) console.log(`\n${violation}`);
  process.exit(violations.length === 0 ? 0 : 1);
}
