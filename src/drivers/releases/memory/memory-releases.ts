// The memory release store: sources and copies that exist only as data, for simulations and tests.

import { createHash } from 'node:crypto';
import { Failure } from '../../../base/failure.ts';
import type { ReleaseSource } from '../../../core/plan/spec.ts';
import { assertFixedReference, assertSameContents } from '../../../core/release-id.ts';
import type { Artifact, Release, ReleaseId } from '../../../core/release.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Releases, StoredRelease } from '../../../ports/releases.ts';

/** Path → contents. */
export type MemoryFiles = Readonly<Record<string, string>>;

/** One call, as a fault hook sees it. */
export interface MemoryReleasesCall {
  readonly operation: 'identify' | 'stage' | 'list' | 'remove';
  /** `before`: nothing is done yet. `after`: all is done, but the caller does not know. */
  readonly moment: 'before' | 'after';
}

export interface MemoryReleasesOptions {
  readonly clock: Clock;
  /** Called around every operation; may reject (the call then rejects with it) or take its time. */
  readonly fault?: ((call: MemoryReleasesCall) => void | Promise<void>) | undefined;
}

export interface MemoryReleases extends Releases {
  /** Makes a source directory hold exactly these files. */
  put(directory: string, files: MemoryFiles): void;
  /** What is kept of a release; undefined when it is not in the store. An image has no files. */
  stored(release: ReleaseId): MemoryFiles | undefined;
}

export function createMemoryReleases(options: MemoryReleasesOptions): MemoryReleases {
  return new InMemory(options);
}

interface Kept extends StoredRelease {
  readonly service: string;
  readonly digest: string;
  readonly files: MemoryFiles;
}

class InMemory implements MemoryReleases {
  readonly #options: MemoryReleasesOptions;
  readonly #sources = new Map<string, MemoryFiles>();
  readonly #kept = new Map<ReleaseId, Kept>();

  constructor(options: MemoryReleasesOptions) {
    this.#options = options;
  }

  put(directory: string, files: MemoryFiles): void {
    this.#sources.set(directory, files);
  }

  stored(release: ReleaseId): MemoryFiles | undefined {
    return this.#kept.get(release)?.files;
  }

  async identify(source: ReleaseSource): Promise<Artifact> {
    return this.#guarded('identify', () => this.#identify(source));
  }

  async stage(release: Release, source: ReleaseSource, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await this.#guarded('stage', () => this.#stage(release, source));
  }

  async list(service: string): Promise<readonly StoredRelease[]> {
    return this.#guarded('list', () =>
      [...this.#kept.values()]
        .filter((each) => each.service === service)
        .map(({ id, storedAt, bytes }) => ({ id, storedAt, bytes })),
    );
  }

  async remove(release: ReleaseId): Promise<void> {
    await this.#guarded('remove', () => this.#kept.delete(release));
  }

  async #guarded<T>(operation: MemoryReleasesCall['operation'], act: () => T): Promise<T> {
    await this.#options.fault?.({ operation, moment: 'before' });
    const result = act();
    await this.#options.fault?.({ operation, moment: 'after' });
    return result;
  }

  #identify(source: ReleaseSource): Artifact {
    if (source.kind === 'image') return identifyImage(source.reference);
    const digest = digestOf(JSON.stringify(Object.entries(this.#files(source)).sort(([a], [b]) => (a < b ? -1 : 1))));
    return { kind: 'directory', source: source.directory, digest };
  }

  #stage(release: Release, source: ReleaseSource): void {
    const known = this.#kept.get(release.id);
    if (known !== undefined) return assertSameContents(release, known.digest);
    if (this.#identify(source).digest !== release.artifact.digest) {
      throw new Failure('release.changed', `The source of ${release.id} changed while it was being read.`, {
        at: release.artifact.kind === 'directory' ? release.artifact.source : release.artifact.repository,
        remedy: 'Finish the build, then deploy again.',
      });
    }
    const files = source.kind === 'image' ? {} : this.#files(source);
    const bytes = Object.values(files).reduce((sum, text) => sum + text.length, 0);
    const { id, service } = release;
    const { digest } = release.artifact;
    this.#kept.set(id, { id, service, digest, files, bytes, storedAt: this.#options.clock.now() });
  }

  #files(source: ReleaseSource & { readonly kind: 'directory' }): MemoryFiles {
    const at = source.directory;
    const remedy = 'Build it first, or correct `release.directory`.';
    const files = this.#sources.get(at);
    if (files === undefined) {
      throw new Failure('release.missing', `The release directory ${at} does not exist.`, { at, remedy });
    }
    if (Object.keys(files).length > 0) return files;
    throw new Failure('release.empty', `The release directory ${at} has no files.`, { at, remedy });
  }
}

function identifyImage(reference: string): Artifact {
  assertFixedReference(reference);
  const [name = '', digest] = reference.split('@');
  const repository = name.replace(/:[^/:]*$/, '');
  return { kind: 'image', repository, digest: digest ?? digestOf(reference) };
}

function digestOf(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`;
}
