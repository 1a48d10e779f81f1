// Makes a process stand still, and says so only when it really does: a signal alone leaves it time for one more answer.

import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Ends with every thread of the process stopped; SIGCONT lets it go on. Elsewhere than on Linux it only sends the signal. */
export async function standStill(pid: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  if (process.platform !== 'linux') return;
  while (!(await statesOf(pid)).every((state) => state === 'T')) await sleep(1);
}

/** One letter of proc(5) per thread; a thread that ended meanwhile has none. */
async function statesOf(pid: number): Promise<readonly string[]> {
  const threads = await readdir(`/proc/${pid}/task`);
  const states = await Promise.all(
    threads.map(async (thread) => {
      const text = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => '');
      // The name before it is in parentheses and may hold any character.
      return text.slice(text.lastIndexOf(')') + 2).charAt(0);
    }),
  );
  return states.filter((state) => state !== '');
}
