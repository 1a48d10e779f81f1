// Starts the load in a process of its own, and asks it how it goes.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { LoadMessage } from './child.ts';
import type { LastReport, LoadOrder, LoadReport } from './report.ts';

export interface RunningLoad {
  report(): Promise<LoadReport>;
  /** Lets what was begun end, and the process with it. */
  stop(): Promise<LastReport>;
  /** Ends the process at once. */
  kill(): void;
}

export function runLoad(order: LoadOrder): RunningLoad {
  const child = fork(fileURLToPath(new URL('child.ts', import.meta.url)), {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  tell(child, { kind: 'start', order });
  return {
    report: () => ask(child, { kind: 'report' }),
    stop: () => ask(child, { kind: 'stop' }),
    kill: () => void child.kill('SIGKILL'),
  };
}

function tell(child: ChildProcess, message: LoadMessage): void {
  child.send(message);
}

async function ask<Report extends LoadReport>(child: ChildProcess, message: LoadMessage): Promise<Report> {
  const ended = new AbortController();
  const exit = once(child, 'exit', { signal: ended.signal }).then(() => {
    throw new Error('the load generator ended before it answered');
  });
  // The loser of the race is given up.
  exit.catch(() => undefined);
  const answer = once(child, 'message', { signal: ended.signal });
  answer.catch(() => undefined);
  tell(child, message);
  try {
    const [report] = (await Promise.race([answer, exit])) as [Report];
    return report;
  } finally {
    ended.abort();
  }
}
