// The names of releases: an id made from everything a release contains, and the refusal of image references that can move.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../base/canonical-json.ts';
import { failureCatalogue } from '../base/failure-catalogue.ts';
import { Failure } from '../base/failure.ts';
import type { Artifact, Release, ReleaseId, RunSpec } from './release.ts';

/**
 * `service@` and the first 12 hex digits of sha256 over the artifact's digest and the run specification. The same files run in
 * the same way always have the same id, wherever they came from and in whatever order their settings were written.
 */
export function releaseId(service: string, artifact: Artifact, run: RunSpec): ReleaseId {
  const contents = canonicalJson({ digest: artifact.digest, run });
  return `${service}@${createHash('sha256').update(contents).digest('hex').slice(0, 12)}`;
}

/** An id has 48 bits: two releases have the same one hardly by chance, but may on purpose. Throws `release.collision`. */
export function assertSameContents({ id, artifact }: Release, keptDigest: string): void {
  if (artifact.digest === keptDigest) return;
  throw new Failure('release.collision', `${id} is kept with other contents (${keptDigest}) than ${artifact.digest}.`, {
    at: id,
    remedy: failureCatalogue['release.collision'].remedy,
  });
}

/** Tags that people move from one image to the next. */
const movingTags: ReadonlySet<string> = new Set([
  'latest',
  'main',
  'master',
  'develop',
  'dev',
  'trunk',
  'head',
  'stable',
  'current',
  'edge',
  'nightly',
]);

/**
 * Refuses an image reference that can mean another image tomorrow: no tag at all, or a tag that is known to move. A digest is
 * always fixed, whatever tag stands before it. Throws `release.mutable`.
 */
export function assertFixedReference(reference: string): void {
  if (/@sha256:[0-9a-f]{64}$/.test(reference)) return;
  const why = whyNotFixed(reference);
  if (why === undefined) return;
  throw new Failure('release.mutable', `The image ${reference} ${why}.`, {
    at: 'release.image',
    remedy: 'Name a digest (image@sha256:…) or a tag that is never moved, such as a version or a commit.',
  });
}

function whyNotFixed(reference: string): string | undefined {
  if (reference.includes('@')) return 'has a digest that is not sha256 and 64 hex digits';
  const tag = tagOf(reference);
  if (tag === undefined || tag === '') return 'has no tag, which means latest';
  return movingTags.has(tag.toLowerCase()) ? `has the tag ${tag}, which moves` : undefined;
}

/** The tag of a reference without digest. A colon before the last slash belongs to the registry's port. */
function tagOf(reference: string): string | undefined {
  const name = reference.slice(reference.lastIndexOf('/') + 1);
  const colon = name.indexOf(':');
  return colon === -1 ? undefined : name.slice(colon + 1);
}
