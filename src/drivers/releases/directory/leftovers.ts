// Temporary directories beside the releases, and what killed processes left of them.

import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { isCode } from '../../../base/system-error.ts';
import { removeTree } from './tree-copy.ts';

/** Names in use by this process, whatever store object uses them. */
const inUse = new Set<string>();

/** The path of a fresh temporary directory; it says which process works in it. Give it back with `discard`. */
export function temporaryPath(directory: string, what: 'staging' | 'removing'): string {
  const name = `.${what}-${process.pid}-${randomBytes(6).toString('hex')}`;
  inUse.add(name);
  return join(directory, name);
}

/** Removes a temporary directory, if it is there. */
export async function discard(path: string): Promise<void> {
  await removeTree(path);
  inUse.delete(basename(path));
}

/** Removes temporary directories whose process is gone. */
export async function removeLeftovers(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    const pid = /^\.(?:staging|removing)-(\d+)-[0-9a-f]+$/.exec(name)?.[1];
    if (pid === undefined || inUse.has(name)) continue;
    if (Number(pid) === process.pid || !isAlive(Number(pid))) await removeTree(join(directory, name));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return !isCode(error, 'ESRCH');
  }
}
