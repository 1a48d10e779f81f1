// The caretaker: a process that removes everything the demo made as soon as the demo has ended, however it ended.

import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { takeDown } from '../compose.ts';
import { scope } from './scope.ts';

/** What it says on stdout when it is done: one line of JSON. */
export interface CaretakerReport {
  readonly problems: readonly string[];
}

/**
 * Reads `+pid` and `-pid` for programs that the demo started and that ended. When its stdin ends, the demo has: what still runs of
 * them is killed, then the service and its proxy, and the directory is removed.
 */
async function main(): Promise<void> {
  const { positionals } = parseArgs({ allowPositionals: true });
  const [root, home] = positionals;
  if (root === undefined || home === undefined) throw new Error('usage: caretaker ROOT HOME');
  const running = new Set<number>();
  for await (const line of createInterface({ input: process.stdin })) {
    const pid = Number(line.slice(1));
    if (line.startsWith('+')) running.add(pid);
    else running.delete(pid);
  }
  const problems: string[] = [];
  const attempt = async (work: () => Promise<void> | void): Promise<void> => {
    try {
      await work();
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    }
  };
  for (const pid of running) await attempt(() => kill(pid));
  await attempt(() => takeDown(home, scope));
  await attempt(() => rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 }));
  const report: CaretakerReport = { problems };
  process.stdout.write(`${JSON.stringify(report)}\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

// A demo that was killed reads no more; that keeps nobody from cleaning up.
process.stdout.on('error', () => undefined);
await main();
