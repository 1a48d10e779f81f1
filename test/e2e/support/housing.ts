// Where the instances of a place run, seen from outside: found by what they carry, not by what Sluice knows of them.

import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { placesUnder } from '../../../src/places.ts';
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
const named = 'SLUICE_RELEASE=';

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
      const environments = ofEachProcess('environ').map(({ words }) => words);
      return environments
        .filter((words) => words.includes(`${mark}=${home}`))
        .map((words) => words.find((word) => word.startsWith(named))?.slice(named.length) ?? 'no release');
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
export function proxiesOf(home: string): readonly number[] {
  const directory = placesUnder(home).proxies;
  return ofEachProcess('cmdline')
    .filter(({ words }) => words.some((word) => word.includes('proxy-main')))
    .filter(({ words }) => words.some((word) => word.includes(directory)))
    .map(({ pid }) => pid);
}

/** What the system knows of each process that we may look into; of one that ended, even where nobody has noticed, nothing. */
function ofEachProcess(file: 'environ' | 'cmdline'): { readonly pid: number; readonly words: readonly string[] }[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0)
    .map((pid) => ({ pid, words: readOrNothing(`/proc/${pid}/${file}`).split('\0') }));
}

/** At once: the looks are many, and so are the processes; such a file is memory, and waiting for it costs more than reading it. */
function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
