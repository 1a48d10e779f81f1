// The digest of a tree: sha256 over the paths, kinds, executable bits and contents of all that it consists of.

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { forEachBounded } from './bounded.ts';
import type { TreeEntry } from './tree.ts';

const blockBytes = 256 * 1024;

/**
 * `sha256:<64 hex>`. One JSON line per entry, in the order of the paths, so that no name can be taken for another's content.
 * Times, owners and modes other than the executable bit do not count: the same build on another machine is the same release.
 */
export async function digestTree(root: string, entries: readonly TreeEntry[]): Promise<string> {
  const lines: string[] = [];
  await forEachBounded(entries, async (entry, index) => {
    lines[index] = JSON.stringify(await describe(root, entry));
  });
  return `sha256:${createHash('sha256').update(lines.join('\n')).digest('hex')}`;
}

async function describe(root: string, entry: TreeEntry): Promise<readonly unknown[]> {
  switch (entry.kind) {
    case 'file':
      return ['file', entry.path, entry.executable, await digestFile(join(root, entry.path), entry.bytes)];
    case 'directory':
      return ['directory', entry.path];
    case 'link':
      return ['link', entry.path, entry.target];
  }
}

async function digestFile(path: string, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'r');
  try {
    // One byte more than expected: most files are then read to their end in one go.
    const block = Buffer.allocUnsafe(Math.min(blockBytes, bytes + 1));
    for (let ended = false; !ended;) {
      const { bytesRead } = await file.read(block, 0, block.length, null);
      hash.update(block.subarray(0, bytesRead));
      ended = bytesRead === 0;
    }
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}
