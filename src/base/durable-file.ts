// Files that are there whole or not at all, also after a crash of the process or of the machine.

import { randomBytes } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/**
 * Puts a file in place with one rename, after its contents reached the disk. Whoever reads the path finds the old contents or
 * the new ones. Rejects with the system's error; then the old contents are still there.
 */
export async function writeDurably(path: string, contents: string, mode = 0o600): Promise<void> {
  // Hidden: programs load whatever lies in some directories, and a write that was killed leaves its half there.
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(4).toString('hex')}.tmp`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(contents);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(path));
}

/** Removes what is left of writes that were killed, to those files of a directory that `ours` names; nobody else may be writing them. */
export async function removeUnfinished(directory: string, ours: (file: string) => boolean): Promise<void> {
  for (const name of await readdir(directory)) {
    const [, file] = /^\.(.+)\.\d+-[0-9a-f]{8}\.tmp$/.exec(name) ?? [];
    if (file !== undefined && ours(file)) await rm(join(directory, name), { force: true });
  }
}

/** Makes renames and removals in a directory last beyond a crash of the machine. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
