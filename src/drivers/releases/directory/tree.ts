// Reads a directory as the list of what a release consists of.

import type { Dirent } from 'node:fs';
import { lstat, readdir, readlink, realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { Failure } from '../../../base/failure.ts';
import { isCode } from '../../../base/system-error.ts';
import { forEachBounded } from './bounded.ts';

/** Paths are relative to the root, with `/` between their parts. */
export type TreeEntry =
  | { readonly kind: 'file'; readonly path: string; readonly executable: boolean; readonly bytes: number }
  | { readonly kind: 'directory'; readonly path: string }
  /** `target` is relative to the link's own directory. */
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export interface TreeOptions {
  readonly ignored: (path: string) => boolean;
  /** A directory that must not be found in the tree: the release store itself. */
  readonly store?: string | undefined;
}

/** Everything below `root` (a real path), sorted by path. Rejects with `release.unsupported` for what no release can hold. */
export async function readTree(root: string, options: TreeOptions): Promise<readonly TreeEntry[]> {
  const entries: TreeEntry[] = [];
  let level: readonly string[] = [''];
  while (level.length > 0) {
    const below: string[] = [];
    await forEachBounded(level, async (directory) => {
      const found = (await readdir(join(root, directory), { withFileTypes: true })).map((dirent) => ({
        dirent,
        path: directory === '' ? dirent.name : `${directory}/${dirent.name}`,
      }));
      for (const { dirent, path } of found.filter(({ path }) => !options.ignored(path))) {
        const entry = await readEntry(root, path, dirent);
        entries.push(entry);
        if (entry.kind === 'directory') below.push(path);
        if (entry.kind === 'directory' && join(root, path) === options.store) throw holdsStore(path);
      }
    });
    level = below;
  }
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function readEntry(root: string, path: string, dirent: Dirent): Promise<TreeEntry> {
  // Node puts this character where a name is not UTF-8; such a name cannot be given back to the system.
  if (dirent.name.includes('�')) throw unsupported(path, 'has a name that is not UTF-8');
  if (dirent.isDirectory()) return { kind: 'directory', path };
  if (dirent.isSymbolicLink()) return { kind: 'link', path, target: await readTarget(root, path) };
  if (!dirent.isFile()) throw unsupported(path, `is ${kindOf(dirent)}`);
  const { mode, size } = await lstat(join(root, path));
  return { kind: 'file', path, executable: (mode & 0o100) !== 0, bytes: size };
}

/** Links are kept as links. One with an absolute target inside the root is made relative, so that the copy stands for itself. */
async function readTarget(root: string, path: string): Promise<string> {
  const target = await readlink(join(root, path));
  const from = dirname(join(root, path));
  const named = resolve(from, target);
  // A link to nowhere has no real path; then what it says decides.
  const real = await realpath(join(root, path)).catch((error: unknown) => {
    if (isCode(error, 'ENOENT', 'ELOOP', 'ENOTDIR')) return named;
    throw error;
  });
  for (const end of [named, real]) {
    if (end !== root && !end.startsWith(root + sep))
      throw unsupported(path, `is a link that leads out of the release, to ${end}`);
  }
  return isAbsolute(target) ? relative(from, named) || '.' : target;
}

function kindOf(dirent: Dirent): string {
  if (dirent.isSocket()) return 'a socket';
  if (dirent.isFIFO()) return 'a named pipe';
  return 'a device';
}

function unsupported(path: string, why: string): Failure {
  return new Failure('release.unsupported', `${path} ${why}; it cannot be part of a release.`, {
    at: path,
    remedy: 'Remove it, or add it to `release.ignore`.',
  });
}

function holdsStore(path: string): Failure {
  return new Failure('release.unsupported', `The release directory holds Sluice’s own release store, at ${path}.`, {
    at: path,
    remedy: 'Name the directory of the build, or add the state directory to `release.ignore`.',
  });
}
