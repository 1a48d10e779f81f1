// Tells a process from a later one that got its pid.

import { readFile } from 'node:fs/promises';

import type { ProxyProcess } from '../control/schema.ts';

/** The process with this pid now, with its start time and boot where the system tells them; undefined when there is none. */
export async function identify(pid: number): Promise<ProxyProcess | undefined> {
  const stat = await read(`/proc/${pid}/stat`);
  if (stat === undefined) return isAlive(pid) ? { pid, startTime: '', boot: '' } : undefined;
  // The program's name may hold spaces and parentheses; the fields behind its last parenthesis do not.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z') return undefined;
  const boot = (await read('/proc/sys/kernel/random/boot_id')) ?? '';
  return { pid, startTime: fields[19] ?? '', boot: boot.trim() };
}

/** Whether exactly this process runs. Without a start time that cannot be known, and the answer is no. */
export async function isStillRunning(known: ProxyProcess): Promise<boolean> {
  if (known.startTime === '') return false;
  const now = await identify(known.pid);
  return now !== undefined && now.startTime === known.startTime && now.boot === known.boot;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'latin1');
  } catch {
    return undefined;
  }
}
