// The release store in a directory: one read-only copy of each release, put in place with one rename.

import { chmod, mkdir, readdir, readFile, realpath, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { syncDirectory, writeDurably } from '../../../base/durable-file.ts';
import { Failure } from '../../../base/failure.ts';
import { releaseHome, releaseParts } from '../../../base/release-path.ts';
import { diskFailure, isCode } from '../../../base/system-error.ts';
import type { ReleaseSource } from '../../../core/plan/spec.ts';
import { assertSameContents } from '../../../core/release-id.ts';
import type { Artifact, Release, ReleaseId } from '../../../core/release.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Releases, StoredRelease } from '../../../ports/releases.ts';
import { ignoring } from './ignore.ts';
import { discard, removeLeftovers, temporaryPath } from './leftovers.ts';
import { copyTree, sealTree } from './tree-copy.ts';
import { digestTree } from './tree-digest.ts';
import { readTree, type TreeEntry } from './tree.ts';

export interface DirectoryReleasesOptions {
  /** The root of the store; made when it is missing. The platform finds releases below it with `releaseDirectory`. */
  readonly directory: string;
  readonly clock: Clock;
}

const Kept = z.object({ id: z.string(), digest: z.string(), storedAt: z.number(), bytes: z.number() });

type DirectorySource = ReleaseSource & { readonly kind: 'directory' };

interface Tree {
  readonly root: string;
  readonly entries: readonly TreeEntry[];
}

export function createDirectoryReleases(options: DirectoryReleasesOptions): Releases {
  return new DirectoryReleases(options);
}

class DirectoryReleases implements Releases {
  readonly #directory: string;
  readonly #clock: Clock;

  constructor(options: DirectoryReleasesOptions) {
    this.#directory = options.directory;
    this.#clock = options.clock;
  }

  async identify(source: ReleaseSource): Promise<Artifact> {
    const from = directoryOf(source);
    return whileReading(from, async () => {
      const { root, entries } = await this.#read(from);
      return { kind: 'directory', source: from.directory, digest: await digestTree(root, entries) };
    });
  }

  async stage(release: Release, source: ReleaseSource, signal?: AbortSignal): Promise<void> {
    const from = directoryOf(source);
    const home = releaseHome(this.#directory, release.id);
    const known = await readKept(home);
    if (known !== undefined) return assertSameContents(release, known.digest);
    signal?.throwIfAborted();
    const temporary = await this.#temporary(home, 'staging');
    try {
      // Nobody else looks in before the digest is proved: a link put into the source meanwhile may have led to a secret.
      await mkdir(temporary, { mode: 0o700 });
      const entries = await whileReading(from, () => this.#copy(release, from, join(temporary, 'files'), signal));
      signal?.throwIfAborted();
      await sealTree(join(temporary, 'files'), entries);
      const kept = {
        id: release.id,
        digest: release.artifact.digest,
        storedAt: this.#clock.now(),
        bytes: sizeOf(entries),
      };
      await writeDurably(join(temporary, 'release.json'), `${JSON.stringify(kept, undefined, 2)}\n`, 0o644);
      await chmod(temporary, 0o755);
      await putInPlace(temporary, home);
    } catch (error) {
      throw diskFailure(error, home);
    } finally {
      await discard(temporary);
    }
  }

  async list(service: string): Promise<readonly StoredRelease[]> {
    const { service: folder } = releaseParts(`${service}@000000000000`);
    const names = await readdir(join(this.#directory, folder)).catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return [];
      throw diskFailure(error, this.#directory);
    });
    const homes = names
      .filter((name) => /^[0-9a-f]{12}$/.test(name))
      .map((name) => join(this.#directory, folder, name));
    const kept = (await Promise.all(homes.map(readKept))).filter((each) => each !== undefined);
    return kept.sort((a, b) => a.storedAt - b.storedAt).map(({ id, storedAt, bytes }) => ({ id, storedAt, bytes }));
  }

  async remove(release: ReleaseId): Promise<void> {
    const home = releaseHome(this.#directory, release);
    if ((await readKept(home)) === undefined) return;
    const temporary = await this.#temporary(home, 'removing');
    try {
      // Gone at once for everybody who looks; the files follow.
      await rename(home, temporary);
      await syncDirectory(dirname(home));
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw diskFailure(error, home);
    } finally {
      await discard(temporary);
    }
  }

  async #read(from: DirectorySource): Promise<Tree> {
    const root = await realDirectory(from.directory);
    // Compared by real paths, so that no link hides the store.
    const store = await realpath(this.#directory).catch(() => undefined);
    const entries = await readTree(root, { ignored: ignoring(from.ignore), store });
    if (entries.some(({ kind }) => kind !== 'directory')) return { root, entries };
    throw new Failure('release.empty', `The release directory ${from.directory} has no files.`, {
      at: from.directory,
      remedy: 'Build it first, or correct `release.directory` and `release.ignore`.',
    });
  }

  /** What counts is the digest of the copy: what an instance will find is then proved to be what was planned. */
  async #copy(
    release: Release,
    from: DirectorySource,
    to: string,
    signal: AbortSignal | undefined,
  ): Promise<readonly TreeEntry[]> {
    const { root, entries } = await this.#read(from);
    await copyTree(root, to, entries, signal);
    const copied = await readTree(await realpath(to), { ignored: () => false });
    if ((await digestTree(to, copied)) === release.artifact.digest) return copied;
    throw changed(from);
  }

  async #temporary(home: string, what: 'staging' | 'removing'): Promise<string> {
    const directory = dirname(home);
    try {
      await mkdir(directory, { recursive: true, mode: 0o755 });
      await removeLeftovers(directory);
    } catch (error) {
      throw diskFailure(error, directory);
    }
    return temporaryPath(directory, what);
  }
}

function directoryOf(source: ReleaseSource): DirectorySource {
  if (source.kind === 'directory') return source;
  throw new Failure(
    'plan.unsupported',
    `The image ${source.reference} cannot be kept in a release store of directories.`,
    {
      at: 'release.image',
      remedy: 'Name a directory with `release.directory`, or choose a platform that runs images.',
    },
  );
}

async function realDirectory(directory: string): Promise<string> {
  const found = await stat(directory).catch((error: unknown) => {
    if (!isCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) throw error;
  });
  if (found?.isDirectory() === true) return realpath(directory);
  const what = found === undefined ? 'does not exist' : 'is not a directory';
  throw new Failure('release.missing', `The release directory ${directory} ${what}.`, {
    at: directory,
    remedy: 'Build it first, or correct `release.directory`.',
  });
}

/** Files that vanish, or turn into something else, while a directory is read mean that somebody is at work in it. */
async function whileReading<T>(from: DirectorySource, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR', 'EISDIR', 'EINVAL')) throw changed(from, error);
    throw diskFailure(error, from.directory);
  }
}

function changed(from: DirectorySource, cause?: unknown): Failure {
  return new Failure('release.changed', `The release directory ${from.directory} changed while it was being read.`, {
    at: from.directory,
    remedy: 'Finish the build, then deploy again.',
    cause,
  });
}

/** One rename: the release is there with all its files, or not at all. */
async function putInPlace(temporary: string, home: string): Promise<void> {
  try {
    await syncDirectory(temporary);
    await rename(temporary, home);
  } catch (error) {
    // Somebody else staged the same release meanwhile; it has the same contents.
    if (!isCode(error, 'ENOTEMPTY', 'EEXIST')) throw error;
  }
  await syncDirectory(dirname(home));
}

function sizeOf(entries: readonly TreeEntry[]): number {
  return entries.reduce((sum, entry) => sum + (entry.kind === 'file' ? entry.bytes : 0), 0);
}

async function readKept(home: string): Promise<z.infer<typeof Kept> | undefined> {
  const path = join(home, 'release.json');
  try {
    return Kept.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw new Failure('disk.failed', 'The record of a stored release cannot be read.', {
      at: path,
      remedy: `Remove ${home} (it was changed by hand) and deploy the release again from its source.`,
      cause: error,
    });
  }
}
