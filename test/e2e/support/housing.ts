// Where the instances of a place run, seen from outside: found by what they carry, not by what Sluice knows of them.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { placesUnder } from '../../../src/places.ts';
import { systemProcessTable } from '../../../src/drivers/platform/process/process-table.ts';
import { docker, removeLabelled } from '../../docker/image.ts';
import { shopImage } from '../../docker/shop.ts';

export interface Housing {
  /** `release`, `platform` and what else a configuration needs so that the instances answer with this version. */
  settings(version: string): Promise<object>;
  /** The release of each instance that runs, or that was made and is still to be started. */
  releases(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export const housings = { process: processes, docker: containers };

export type HousingName = keyof typeof housings;

/** Answers with its version. */
const service = `
import { createServer } from 'node:http';
import { readFileSync } from 'node:fs';
const version = readFileSync('version', 'utf8');
const server = createServer((request, response) => response.end(version));
server.listen(Number(process.env.PORT), '127.0.0.1');
process.once('SIGTERM', () => {
  server.close(() => process.exit(0));
  server.closeIdleConnections();
});
`;

const mark = 'SURVIVAL_HOME';

/** `directory` holds the home and what is deployed; `ports` are what a router wants instances to have. */
function processes(directory: string, ports: object | undefined): Housing {
  const home = join(directory, 'home');
  return {
    async settings(version) {
      const release = join(directory, 'releases', version);
      await mkdir(release, { recursive: true });
      await writeFile(join(release, 'server.mjs'), service);
      await writeFile(join(release, 'version'), version);
      return {
        release: { directory: release, command: [process.execPath, 'server.mjs'] },
        env: { [mark]: home },
        ...(ports === undefined ? {} : { platform: { process: { ports } } }),
      };
    },
    async releases() {
      const table = systemProcessTable();
      const instances = await table.withVariable(await livingProcesses(), mark, home);
      const environments = await Promise.all(instances.map((pid) => readOrNothing(`/proc/${pid}/environ`)));
      // One that ended just now has none any more.
      return environments
        .filter((text) => text !== '')
        .map((text) => /(?:^|\0)SLUICE_RELEASE=([^\0]*)/.exec(text)?.[1] ?? 'no release');
    },
    close: async () => undefined,
  };
}

function containers(directory: string): Housing {
  const [name, value] = ['sluice.test', directory.slice(directory.lastIndexOf('/') + 1)];
  return {
    settings: async (version) => ({
      release: { image: await shopImage(version) },
      port: 8080,
      platform: { docker: { labels: { [name]: value } } },
    }),
    async releases() {
      const there = await docker.listContainers({ all: true, filters: { label: [`${name}=${value}`] } });
      // What has ended is kept for its output.
      return there
        .filter(({ State }) => State !== 'exited')
        .map(({ Labels }) => Labels['sluice.release'] ?? 'no release');
    },
    close: () => removeLabelled(`${name}=${value}`),
  };
}

/** The built-in proxies of a home, by their command line. */
export async function proxiesOf(home: string): Promise<readonly number[]> {
  const directory = placesUnder(home).proxies;
  const pids = await livingProcesses();
  const lines = await Promise.all(pids.map((pid) => readOrNothing(`/proc/${pid}/cmdline`)));
  return pids.filter((_, index) => lines[index]?.includes('proxy-main') && lines[index]?.includes(directory));
}

async function livingProcesses(): Promise<readonly number[]> {
  return (await systemProcessTable().entries()).filter((entry) => !entry.zombie).map((entry) => entry.pid);
}

function readOrNothing(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
