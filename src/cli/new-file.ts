// Writes a file whole or not at all, and over an existing one only where that is wanted.

import { link, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { randomUUID } from 'node:crypto';
import { Failure } from '../base/failure.ts';
import { failureCatalogue } from '../base/failure-catalogue.ts';

/** Whether it was written; false where a file is there already. Rejects with `disk.full` or `disk.failed`. */
export async function writeNewFile(file: string, text: string, overwrite: boolean): Promise<boolean> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await writeDurably(temporary, text);
    if (overwrite) await rename(temporary, file);
    else await link(temporary, file);
    await syncDirectory(dirname(file));
    return true;
  } catch (thrown) {
    const { code, message } = thrown as NodeJS.ErrnoException;
    if (code === 'EEXIST' && !overwrite) return false;
    const kind = code === 'ENOSPC' || code === 'EDQUOT' ? 'disk.full' : 'disk.failed';
    throw new Failure(kind, `${file} cannot be written: ${message}`, {
      at: file,
      remedy: failureCatalogue[kind].remedy,
      cause: thrown,
    });
  } finally {
    await rm(temporary, { force: true });
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  await using handle = await open(file, 'wx', 0o644);
  await handle.writeFile(text);
  await handle.sync();
}

async function syncDirectory(directory: string): Promise<void> {
  await using handle = await open(directory, 'r');
  await handle.sync();
}
