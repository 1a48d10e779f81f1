// Which process has a file lock, and whether it goes on, as Linux tells it.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface LockHolder {
  readonly pid: number;
  /** By a signal or a debugger: it does nothing until somebody lets it go on. */
  readonly isStopped: boolean;
}

/** Where SQLite puts its locks in a file. */
const firstByte = 0x4000_0000;
const lastByte = firstByte + 511;

/** Undefined where that cannot be seen: on another system than Linux, or when the holder is in another container. */
export async function lockHolder(path: string): Promise<LockHolder | undefined> {
  const file = await stat(path).catch(() => undefined);
  if (file === undefined) return undefined;
  const locks = await readFile('/proc/locks', 'utf8').catch(() => '');
  for (const line of locks.split('\n')) {
    // Such as: "3: POSIX  ADVISORY  WRITE 31251 fe:00:9978470 1073741824 1073742335".
    const match = /^\d+: POSIX +ADVISORY +WRITE +(\d+) [0-9a-f]+:[0-9a-f]+:(\d+) (\d+) /.exec(line);
    const [pid, inode, from] = [Number(match?.[1]), Number(match?.[2]), Number(match?.[3])];
    const isSuch = inode === file.ino && from >= firstByte && from <= lastByte;
    if (isSuch && (await hasOpen(pid, file))) return { pid, isStopped: await isStopped(pid) };
  }
  return undefined;
}

/** The kernel's list names devices in a way of its own, and on another device a file may have the same number. */
async function hasOpen(pid: number, file: { readonly dev: number; readonly ino: number }): Promise<boolean> {
  const directory = `/proc/${pid}/fd`;
  for (const name of await readdir(directory).catch(() => [])) {
    const open = await stat(join(directory, name)).catch(() => undefined);
    if (open?.ino === file.ino && open.dev === file.dev) return true;
  }
  return false;
}

async function isStopped(pid: number): Promise<boolean> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The program's name stands in parentheses and may hold anything.
  return /^[Tt]$/.test(text.slice(text.lastIndexOf(')') + 2).charAt(0));
}
