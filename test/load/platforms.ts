// The platforms on which a site can run the service of the load. One more is one more entry here.

import type { ReleaseFile } from './protocol.ts';
import { type Site, servicePath } from './site.ts';

export interface LoadPlatform {
  /** What stands under `platform` in the configuration. */
  settings(site: Site): object | string;
  /** What stands under `release`, for one version of the service. */
  release(site: Site, file: ReleaseFile): Promise<object>;
}

const platforms = {
  process: {
    settings: ({ front }) => front.platform ?? 'process',
    release: async (site, file) => ({
      directory: await site.release(file),
      command: [process.execPath, '--disable-warning=ExperimentalWarning', servicePath],
    }),
  },
} satisfies Record<string, LoadPlatform>;

export type PlatformName = keyof typeof platforms;

export const platformNames = Object.keys(platforms) as readonly PlatformName[];

export function loadPlatform(name: PlatformName): LoadPlatform {
  return platforms[name];
}
