// Copies a tree so that nobody changes it by accident, and removes such a copy.

import { constants } from 'node:fs';
import { chmod, copyFile, mkdir, open, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { syncDirectory } from '../../../base/durable-file.ts';
import { isCode } from '../../../base/system-error.ts';
import { forEachBounded } from './bounded.ts';
import type { TreeEntry } from './tree.ts';

/** Copies `entries` from one root to another, which must not exist. Contents are shared with the source where the disk can. */
export async function copyTree(
  from: string,
  to: string,
  entries: readonly TreeEntry[],
  signal?: AbortSignal,
): Promise<void> {
  await mkdir(to);
  // In the order of paths a directory comes before what is in it.
  for (const { kind, path } of entries) if (kind === 'directory') await mkdir(join(to, path));
  await forEachBounded(entries, async (entry) => {
    signal?.throwIfAborted();
    const target = join(to, entry.path);
    if (entry.kind === 'link') await symlink(entry.target, target);
    if (entry.kind !== 'file') return;
    await copyFile(join(from, entry.path), target, constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE);
    await chmod(target, entry.executable ? 0o555 : 0o444);
  });
}

/** Makes the copy last beyond a crash of the machine, and its directories read-only. */
export async function sealTree(root: string, entries: readonly TreeEntry[]): Promise<void> {
  await forEachBounded(entries, async ({ kind, path }) => {
    if (kind === 'file') await syncFile(join(root, path));
  });
  const directories = entries.filter(({ kind }) => kind === 'directory').map(({ path }) => join(root, path));
  await forEachBounded([...directories, root], async (path) => {
    await chmod(path, 0o555);
    await syncDirectory(path);
  });
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Removes a copy, read-only or half made. */
export async function removeTree(root: string): Promise<void> {
  await makeWritable(root);
  await rm(root, { recursive: true, force: true });
}

/** Only root may remove something from a directory that it may not write. */
async function makeWritable(directory: string): Promise<void> {
  try {
    await chmod(directory, 0o755);
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
    }
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
}
