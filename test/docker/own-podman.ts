// A Podman of a test's own: its service at a socket that speaks as Docker's engine does.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';

import { carryImages } from './carry-images.ts';

const run = promisify(execFile);
const patienceMs = 30_000;
const program = ['/usr/bin/podman'].find((path) => existsSync(path));

/** Why tests with Podman are left out; false: they are not. */
export function noPodman(): string | false {
  if (program === undefined) return 'missing: podman; install podman, catatonit and containernetworking-plugins';
  return process.getuid?.() === 0 ? false : 'only root can start a Podman that is reached at addresses of its own';
}

/** Podman wants more open files and processes for each container than a container that it runs in may give; tests need few. */
const settings = '[containers]\ndefault_ulimits = ["nofile=10000:10000", "nproc=4096:4096"]\n';

export class OwnPodman {
  readonly docker: Docker;
  readonly #directory: string;
  readonly #child: ChildProcess;

  private constructor(directory: string, child: ChildProcess) {
    this.#directory = directory;
    this.#child = child;
    this.docker = new Docker({ socketPath: this.socket });
  }

  /** Resolves when it answers. */
  static async start(): Promise<OwnPodman> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-podman-'));
    await writeFile(join(directory, 'containers.conf'), settings);
    const words = [...placesIn(directory), 'system', 'service', '--time=0', `unix://${socketIn(directory)}`];
    const child = spawn(program ?? 'podman', words, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: environmentIn(directory),
    });
    const podman = new OwnPodman(directory, child);
    let said = '';
    child.stderr.on('data', (part: Buffer) => (said = `${said}${part.toString()}`.slice(-2000)));
    const giveUpAt = performance.now() + patienceMs;
    while (!(await podman.#answers())) {
      if (child.exitCode !== null || performance.now() > giveUpAt) throw new Error(`Podman does not start: ${said}`);
      await sleep(50);
    }
    return podman;
  }

  get socket(): string {
    return socketIn(this.#directory);
  }

  async #answers(): Promise<boolean> {
    return this.docker.ping().then(
      () => true,
      () => false,
    );
  }

  /** Brings images of the machine's engine here. */
  async load(references: readonly string[]): Promise<void> {
    await carryImages(references, {
      command: [program ?? 'podman', ...placesIn(this.#directory), 'load'],
      environment: environmentIn(this.#directory),
    });
  }

  /** Removes all that it made. */
  async close(): Promise<void> {
    await this.#podman('rm', '--all', '--force', '--time', '0');
    await this.#podman('network', 'prune', '--force');
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await gone;
    await this.#podman('rmi', '--all', '--force');
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
    for (const mount of mounts.filter((path) => path.startsWith(`${this.#directory}/`)).reverse())
      await run('umount', [mount]);
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #podman(...words: readonly string[]): Promise<void> {
    await run(program ?? 'podman', [...placesIn(this.#directory), ...words], { env: environmentIn(this.#directory) });
  }
}

function socketIn(directory: string): string {
  return join(directory, 'podman.sock');
}

function placesIn(directory: string): readonly string[] {
  const inside = (name: string): string => join(directory, name);
  const state = ['--root', inside('root'), '--runroot', inside('run'), '--tmpdir', inside('tmp')];
  return [...state, '--network-config-dir', inside('networks')];
}

function environmentIn(directory: string): NodeJS.ProcessEnv {
  return { ...process.env, CONTAINERS_CONF: join(directory, 'containers.conf') };
}
