// Where the files of a release lie: the one rule that the release store and the platform share.

import { join } from 'node:path';
import { Failure } from './failure.ts';

const shape = /^([a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?)@([0-9a-f]{12})$/;

/** Service and digits of a release's id. Throws `release.unknown` for a text that is none, so that no id leads out of the store. */
export function releaseParts(id: string): { readonly service: string; readonly digits: string } {
  const [, service, digits] = shape.exec(id) ?? [];
  if (service === undefined || digits === undefined) {
    throw new Failure('release.unknown', `${JSON.stringify(id)} is not the id of a release.`, {
      remedy: 'Name a release as `sluice history` shows it, e.g. shop@3f9c2a1b7d04.',
    });
  }
  return { service, digits };
}

/** The directory of everything that the release store keeps about a release. */
export function releaseHome(root: string, id: string): string {
  const { service, digits } = releaseParts(id);
  return join(root, service, digits);
}

/** The directory in which an instance of the release finds its files. */
export function releaseDirectory(root: string, id: string): string {
  return join(releaseHome(root, id), 'files');
}
