// Times calls of the command line.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The median of `calls` calls in milliseconds, after one that fills the caches. */
export async function timeCommand(args: readonly string[], calls: number): Promise<number> {
  await run(process.execPath, args);
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const began = performance.now();
    await run(process.execPath, args);
    times.push(performance.now() - began);
  }
  return medianOf(times);
}

export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}
