// Real programs in a temporary release store, and a process platform to run them: what the tests of this driver stand on.

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { releaseDirectory } from '../../../base/release-path.ts';
import type { Instance } from '../../../core/instance.ts';
import type { Release, RunSpec } from '../../../core/release.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Platform } from '../../../ports/platform.ts';
import { InstanceRecords } from './instance-records.ts';
import { createProcessPlatform, type ProcessPlatformOptions } from './process-platform.ts';

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (durationMs, signal) => sleep(durationMs, undefined, { signal }).catch(() => {}),
};

/** A server that does what its requests say. */
export const serverProgram = `
const http = require('node:http');
const fs = require('node:fs');
if (process.argv[2] === 'stubborn') process.on('SIGTERM', () => {});
http.createServer((request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    if (request.url === '/say') fs.writeSync(1, body);
    if (request.url === '/environment') return response.end(JSON.stringify(process.env));
    if (request.url === '/directory') return response.end(process.cwd());
    if (request.url === '/user') return response.end(JSON.stringify([process.getuid(), process.getgid()]));
    response.end('ok');
    if (request.url === '/crash') response.on('finish', () => process.exit(3));
  });
}).listen(Number(process.env.PORT), '127.0.0.1');
`;

export const crashProgram = `console.error('last words'); process.exitCode = 3;`;

export interface ProcessFixture {
  readonly root: string;
  readonly stateDirectory: string;
  readonly releasesDirectory: string;
  readonly platform: Platform;
  /** Another platform object on the same state. */
  open(options?: Partial<ProcessPlatformOptions>): Platform;
  /** Puts a release with these files into the store. */
  release(files: Readonly<Record<string, string>>, run?: Partial<RunSpec>): Promise<Release>;
  /** A release of the server. */
  server(run?: Partial<RunSpec>): Promise<Release>;
  /** Ends every process and removes every file. */
  close(): Promise<void>;
}

export async function openFixture(options: Partial<ProcessPlatformOptions> = {}): Promise<ProcessFixture> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-process-'));
  const stateDirectory = join(root, 'state');
  const releasesDirectory = join(root, 'releases');
  // Instances that change their user must reach their files.
  await chmod(root, 0o755);
  const open = (more: Partial<ProcessPlatformOptions> = {}): Platform =>
    createProcessPlatform({ stateDirectory, releasesDirectory, clock: realClock, ...options, ...more });
  const release: ProcessFixture['release'] = async (files, run = {}) => {
    const id = `shop@${randomBytes(6).toString('hex')}`;
    const directory = releaseDirectory(releasesDirectory, id);
    await mkdir(directory, { recursive: true });
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
    return {
      id,
      service: 'shop',
      artifact: { kind: 'directory', source: '/nowhere', digest: `sha256:${'0'.repeat(64)}` },
      run: { command: [process.execPath, 'main.cjs'], environment: {}, workingDirectory: '.', limits: {}, ...run },
    };
  };
  return {
    root,
    stateDirectory,
    releasesDirectory,
    platform: open(),
    open,
    release,
    server: (run) => release({ 'main.cjs': serverProgram }, run),
    close: async () => {
      await stopAll(open(), stateDirectory);
      // What is being ended may still write its last lines.
      await rm(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
    },
  };
}

async function stopAll(platform: Platform, stateDirectory: string): Promise<void> {
  const records = await new InstanceRecords(stateDirectory).all();
  await Promise.all(records.map(({ scope, release }) => platform.stop({ scope, release, graceMs: 0 })));
}

/** The answer of an instance; undefined when nobody answers. */
export async function ask(instance: Instance, path = '/', body?: string): Promise<string | undefined> {
  const url = `http://127.0.0.1:${instance.address.port}${path}`;
  const init = body === undefined ? {} : { method: 'POST', body };
  return fetch(url, { ...init, headers: { connection: 'close' } }).then(
    (response) => response.text(),
    () => undefined,
  );
}

/** Waits until there is something; the limit only ends a test that would never end. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (let waitedMs = 0; waitedMs < 30_000; waitedMs += 20) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await sleep(20);
  }
  throw new Error(`waited in vain until ${what}`);
}
