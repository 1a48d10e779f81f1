// Finds the process of a start whose controller was killed before it could write down which process it is.

import type { Clock } from '../../../ports/clock.ts';
import { tokenVariable } from './environment.ts';
import type { ProcessIdentity, ProcessTable } from './process-table.ts';

/** Between its making and the start of its program a process does not carry the token yet; that takes microseconds. */
const looks = 5;
const pauseMs = 30;

/** The leader of the group that carries the token; undefined when there is none, so that the start never came about. */
export async function findByToken(
  table: ProcessTable,
  clock: Clock,
  token: string,
): Promise<ProcessIdentity | undefined> {
  for (let look = 1; look <= looks; look += 1) {
    const found = await lookForToken(table, token);
    if (found !== undefined) return found;
    await clock.sleep(pauseMs);
  }
  return undefined;
}

async function lookForToken(table: ProcessTable, token: string): Promise<ProcessIdentity | undefined> {
  const entries = (await table.entries()).filter((entry) => !entry.zombie);
  const pids = entries.map((entry) => entry.pid);
  const carriers = new Set(await table.withVariable(pids, tokenVariable, token));
  const found = entries.filter((entry) => carriers.has(entry.pid));
  const boot = await table.boot();
  // Children inherit the token, and some lead groups of their own: ours is the leader whose parent does not have it.
  const first = found.find((entry) => entry.pid === entry.group && !carriers.has(entry.parent));
  if (first !== undefined) return { pid: first.pid, startTime: first.startTime, boot };
  // The leader ended and left others behind: the group keeps its number, and they are ended with it.
  const left = found[0];
  return left === undefined ? undefined : { pid: left.group, startTime: 'unknown', boot };
}
