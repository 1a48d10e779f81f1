// The platforms on which a site can run the service of the load. One more is one more entry here.

import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';

import { buildImage, docker, nodeImage, removeLabelled } from '../docker/image.ts';
import type { ReleaseFile } from './protocol.ts';
import type { Site } from './site.ts';

const servicePath = fileURLToPath(new URL('service.ts', import.meta.url));

export interface LoadPlatform {
  /** What stands under `platform` in the configuration. */
  settings(site: Site): object | string;
  /** What stands under `release`, for one version of the service. */
  release(site: Site, file: ReleaseFile): Promise<object>;
  /** What else the configuration needs. */
  readonly more?: object | undefined;
  /** Variables beside those of the load. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Ends what is left of it. */
  close?(site: Site): Promise<void>;
}

const projectRoot = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

/** By which containers of one site are known. */
const label = (site: Site): string => `sluice.test=${basename(site.directory)}`;

/** What is said of all containers. */
function containers(site: Site): object {
  const [name = '', value] = label(site).split('=');
  return {
    labels: { [name]: value },
    volumes: [`${projectRoot}:${projectRoot}:ro`, `${site.records}:${site.records}`],
  };
}

/** The service's program is that of the project, mounted; what differs between versions is in the image. */
const inContainers = {
  settings: (site) => ({
    docker: { ...containers(site), ...(site.front.ports === undefined ? {} : { ports: site.front.ports }) },
  }),
  release: async (site, file) => {
    const reference = `sluice-test/load:${basename(site.directory)}-${file.version}`;
    await buildImage(reference, {
      Dockerfile: `FROM ${await nodeImage()}\nCOPY version.json /app/version.json\n`,
      'version.json': JSON.stringify(file),
    });
    return { image: reference, command: ['node', '--disable-warning=ExperimentalWarning', servicePath] };
  },
  more: { port: 8080 },
  env: { HOST: '0.0.0.0' },
  close: async (site) => {
    await removeLabelled(label(site));
    for (const { RepoTags } of await docker.listImages())
      for (const tag of RepoTags ?? [])
        if (tag.startsWith(`sluice-test/load:${basename(site.directory)}-`))
          await docker.getImage(tag).remove({ force: true });
  },
} satisfies LoadPlatform;

const platforms = {
  process: {
    settings: ({ front: { ports } }) => (ports === undefined ? 'process' : { process: { ports } }),
    release: async (site, file) => ({
      directory: await site.release(file),
      command: [process.execPath, '--disable-warning=ExperimentalWarning', servicePath],
    }),
  },
  docker: inContainers,
  /** The router goes to the containers' own addresses, and no program of the engine stands between. */
  'docker-addresses': { ...inContainers, settings: (site) => ({ docker: { ...containers(site), publish: 'off' } }) },
} satisfies Record<string, LoadPlatform>;

export type PlatformName = keyof typeof platforms;

export const platformNames = Object.keys(platforms) as readonly PlatformName[];

export function loadPlatform(name: PlatformName): LoadPlatform {
  return platforms[name];
}
