// A process for tests that stages one release.

import { createDirectoryReleases } from './directory-releases.ts';

const { directory, release, source } = JSON.parse(process.argv[2] ?? '');
const releases = createDirectoryReleases({ directory, clock: { now: () => Date.now(), sleep: async () => {} } });
await releases.stage(release, source);
