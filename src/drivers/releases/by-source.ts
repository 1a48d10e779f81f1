// The release store of a controller: directories in one, images in another.

import type { ReleaseSource } from '../../core/plan/spec.ts';
import type { Releases } from '../../ports/releases.ts';

export interface ReleasesBySource {
  readonly directory: Releases;
  readonly image: Releases;
}

/** A release lies in one of them; whoever only has its id asks both. */
export function releasesBySource(stores: ReleasesBySource): Releases {
  const of = (source: ReleaseSource): Releases => stores[source.kind];
  return {
    identify: (source) => of(source).identify(source),
    stage: (release, source, signal) => of(source).stage(release, source, signal),
    list: async (service) => {
      const lists = await Promise.all([stores.directory.list(service), stores.image.list(service)]);
      return lists.flat().sort((a, b) => a.storedAt - b.storedAt);
    },
    remove: async (release) => {
      await stores.directory.remove(release);
      await stores.image.remove(release);
    },
  };
}
