// A HAProxy in a container, from an image made of this machine's own HAProxy; none is pulled.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { importedImage, whereIs } from '../docker/image.ts';
import { openSession } from '../../src/drivers/router/haproxy/runtime/session.ts';
import { findHaproxy } from './haproxy.ts';

const run = promisify(execFile);

/** Why the tests that need a container of HAProxy are left out; false where they need not be. */
export async function withoutContainers(): Promise<string | false> {
  const engine = await run('docker', ['info']).catch(() => undefined);
  return engine === undefined ? 'missing: no container engine answers; install and start docker.io' : false;
}

/** On the network of the machine. Everything that it shares with the machine lies in `directory`, which it sees as `/lb`. */
export class HaproxyContainer {
  readonly name = `sluice-test-haproxy-${randomBytes(4).toString('hex')}`;
  readonly directory: string;

  private constructor(directory: string) {
    this.directory = directory;
  }

  static async start(): Promise<HaproxyContainer> {
    const image = await haproxyImage();
    const container = new HaproxyContainer(await mkdtemp(join(tmpdir(), 'sluice-haproxy-container-')));
    await mkdir(container.own);
    await writeFile(
      join(container.directory, 'haproxy.cfg'),
      `global
  stats socket /lb/admin.sock mode 600 level admin expose-fd listeners
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend own
  bind /lb/own.sock
`,
    );
    const mount = `${container.directory}:/lb`;
    const line = ['haproxy', '-W', '-db', '-f', '/lb/haproxy.cfg', '-f', '/lb/sluice'];
    await run('docker', [
      'run',
      '--detach',
      '--name',
      container.name,
      '--network',
      'host',
      '--volume',
      mount,
      image,
      ...line,
    ]);
    await container.#answering();
    return container;
  }

  /** Sluice's directory. */
  get own(): string {
    return join(this.directory, 'sluice');
  }

  get socket(): string {
    return join(this.directory, 'admin.sock');
  }

  async kill(): Promise<void> {
    await run('docker', ['kill', this.name]);
  }

  async startAgain(): Promise<void> {
    await run('docker', ['start', this.name]);
    await this.#answering();
  }

  async end(): Promise<void> {
    await run('docker', ['rm', '--force', '--volumes', this.name]);
    await rm(this.directory, { recursive: true, force: true });
  }

  async #answering(): Promise<void> {
    for (let tries = 0; tries < 500; tries++) {
      const session = openSession({ path: this.socket }, { timeoutMs: 2_000 });
      const answer = await session.command('show info').catch(() => '');
      session.close();
      if (answer !== '') return;
      await sleep(20);
    }
    const { stdout, stderr } = await run('docker', ['logs', this.name]);
    throw new Error(`HAProxy does not answer in its container: ${stdout}${stderr}`);
  }
}

/** The reference of the image. */
export async function haproxyImage(): Promise<string> {
  const program = await whereIs((await findHaproxy()) ?? 'haproxy');
  return importedImage('sluice-test/haproxy:2', {
    programs: { 'usr/sbin/haproxy': program },
    changes: ['ENV PATH=/usr/sbin'],
  });
}
