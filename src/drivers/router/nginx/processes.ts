// NGINX's processes as the system shows them: who its workers are, and which of them are going.

import { readFile } from 'node:fs/promises';

export interface Worker {
  readonly pid: number;
  readonly user: number;
  /** It ends when its last connection does, and takes no new ones. */
  readonly going: boolean;
}

/** Of the master with this pid; undefined where the system does not show them. */
export async function workersOf(master: number): Promise<readonly Worker[] | undefined> {
  const children = await readFile(`/proc/${master}/task/${master}/children`, 'latin1').catch(() => undefined);
  if (children === undefined) return undefined;
  const pids = children
    .trim()
    .split(' ')
    .map(Number)
    .filter((pid) => pid > 0);
  const workers = await Promise.all(pids.map(worker));
  return workers.filter((found) => found !== undefined);
}

/** Undefined when it is gone, or no worker. */
async function worker(pid: number): Promise<Worker | undefined> {
  const title = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '');
  if (!title.startsWith('nginx: worker process')) return undefined;
  const status = await readFile(`/proc/${pid}/status`, 'latin1').catch(() => '');
  const user = Number(/^Uid:\s+\d+\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN);
  return { pid, user, going: title.includes('shutting down') };
}
