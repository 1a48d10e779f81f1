// The release store port: keeps immutable copies of releases so that nothing running changes when its source does.

import type { Artifact, Release, ReleaseId } from '../core/release.ts';
import type { ReleaseSource } from '../core/plan/spec.ts';

export interface StoredRelease {
  readonly id: ReleaseId;
  /** Epoch milliseconds when it was staged. */
  readonly storedAt: number;
  readonly bytes: number;
}

export interface Releases {
  /** Reads a source and says what it contains; changes nothing. Rejects with `release.missing`, `release.empty`, `release.mutable`. */
  identify(source: ReleaseSource): Promise<Artifact>;
  /**
   * Copies the release in, whole or not at all. Idempotent. Rejects with `release.changed` when the source no longer has the digest,
   * and with `release.collision` when other contents are kept under the id.
   */
  stage(release: Release, source: ReleaseSource, signal?: AbortSignal): Promise<void>;
  list(service: string): Promise<readonly StoredRelease[]>;
  /** Removes the copy. Idempotent. Which ones may go is the caller's decision. */
  remove(release: ReleaseId): Promise<void>;
}
