// Containers of a local image, and a Docker platform to run them: what the tests of this driver stand on.

import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type Docker from 'dockerode';
import { docker, nodeImage, removeLabelled } from '../../../../test/docker/image.ts';
import { engineSocket } from '../../../../test/docker/engine.ts';
import type { ContainerRun } from '../../../core/container.ts';
import type { Instance } from '../../../core/instance.ts';
import type { DockerPlatformSpec } from '../../../core/plan/spec.ts';
import type { Release, RunSpec } from '../../../core/release.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { PlatformFixture } from '../../../ports/platform.contract.ts';
import type { Platform } from '../../../ports/platform.ts';
import { createDockerPlatform, type DockerPlatformOptions } from './docker-platform.ts';

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (durationMs, signal) => sleep(durationMs, undefined, { signal }).catch(() => {}),
};

/** A server that does what its requests say. */
const serverProgram = `
const http = require('node:http');
const fs = require('node:fs');
if (!process.argv.includes('stubborn')) process.on('SIGTERM', () => process.exit(0));
else process.on('SIGTERM', () => {});
process.on('SIGINT', () => { console.log('interrupted'); process.exit(0); });
http.createServer((request, response) => {
  let body = '';
  request.on('data', (part) => { body += part; });
  request.on('end', () => {
    if (request.url === '/say') fs.writeSync(1, body);
    if (request.url === '/complain') fs.writeSync(2, body);
    if (request.url === '/environment') return response.end(JSON.stringify(process.env));
    if (request.url === '/user') return response.end(JSON.stringify([process.getuid(), process.getgid()]));
    if (request.url === '/write') {
      try { fs.writeFileSync(body, 'x'); return response.end('written'); } catch (error) { return response.end(error.code); }
    }
    if (request.url === '/status') return response.end(fs.readFileSync('/proc/self/status', 'utf8'));
    response.end('ok');
    if (request.url === '/crash') response.on('finish', () => process.exit(3));
  });
}).listen(Number(process.env.PORT));
`;

export const server = ['node', '-e', serverProgram];
export const crash = ['node', '-e', `console.error('last words'); process.exitCode = 3;`];

/** How a container of these tests runs where nothing is said. */
export const plainRun: ContainerRun = {
  port: 8080,
  networks: [],
  mounts: [],
  labels: {},
  readOnly: false,
  capAdd: [],
  capDrop: [],
  noNewPrivileges: true,
  // The first process of a container heeds no signal that it has no handler for; Node sets its own only some time after its start.
  init: true,
  tty: false,
  groups: [],
  ulimits: [],
  sysctls: {},
  dns: [],
  dnsSearch: [],
  hosts: [],
  needs: [],
};

export const platformSpec: DockerPlatformSpec = {
  driver: 'docker',
  engine: { kind: 'socket', path: engineSocket },
  publish: '127.0.0.1',
};

export interface DockerFixture {
  readonly service: string;
  readonly platform: Platform;
  open(options?: Partial<DockerPlatformOptions>): Platform;
  /** A release of the server, unless another command is given. */
  release(run?: Partial<RunSpec>, container?: Partial<ContainerRun>): Promise<Release>;
  close(): Promise<void>;
}

/** An engine that has the image of `nodeImage`. */
export interface FixtureEngine {
  readonly docker: Docker;
  readonly socket: string;
}

/** Every fixture has a label of its own on its containers, by which they are removed. */
export async function openFixture(engine: FixtureEngine = { docker, socket: engineSocket }): Promise<DockerFixture> {
  const mark = `sluice.test=${randomBytes(6).toString('hex')}`;
  const image = await engine.docker.getImage(await nodeImage()).inspect();
  const owner = randomBytes(4).toString('hex');
  const spec: DockerPlatformSpec = { ...platformSpec, engine: { kind: 'socket', path: engine.socket } };
  const open = (options: Partial<DockerPlatformOptions> = {}): Platform =>
    createDockerPlatform({ spec, owner, clock: realClock, ...options });
  const service = 'shop';
  const [markName = '', markValue = ''] = mark.split('=');
  return {
    service,
    platform: open(),
    open,
    release: async (run = {}, container = {}) => ({
      id: `${service}@${randomBytes(6).toString('hex')}`,
      service,
      artifact: { kind: 'image', repository: 'localhost/sluice-test/node', digest: image.Id },
      run: {
        command: server,
        environment: {},
        workingDirectory: '.',
        limits: {},
        ...run,
        container: { ...plainRun, ...container, labels: { ...container.labels, [markName]: markValue } },
      },
    }),
    close: () => removeLabelled(mark, engine.docker),
  };
}

/** What the platform contract needs of a fixture. */
export function contractFixture(fixture: DockerFixture): PlatformFixture {
  return {
    platform: fixture.platform,
    reopen: async () => fixture.open(),
    release: async (behaviour) => {
      switch (behaviour) {
        case 'serves':
          return fixture.release();
        case 'ignores the request to end':
          return fixture.release({ command: [...server, 'stubborn'] });
        case 'crashes at start':
          return fixture.release({ command: crash });
        case 'cannot be run':
          return fixture.release({ command: ['there-is-no-such-program'] }, { init: false });
      }
    },
    answers: async (instance) => (await ask(instance)) === 'ok',
    crash: async (instance) => void (await ask(instance, '/crash')),
    write: async (instance, lines) => void (await ask(instance, '/say', lines.map((line) => `${line}\n`).join(''))),
    close: () => fixture.close(),
  };
}

/** The answer of an instance; undefined when nobody answers. */
export async function ask(instance: Instance, path = '/', body?: string): Promise<string | undefined> {
  const url = `http://${instance.address.host}:${instance.address.port}${path}`;
  const init = body === undefined ? {} : { method: 'POST', body };
  return fetch(url, { ...init, headers: { connection: 'close' } }).then(
    (response) => response.text(),
    () => undefined,
  );
}

/** Waits until there is something; the limit only ends a test that would never end. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (let waitedMs = 0; waitedMs < 30_000; waitedMs += 50) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await sleep(50);
  }
  throw new Error(`waited in vain until ${what}`);
}
