// A container engine of a test's own beside the one of this machine, which it may stop, freeze and start again.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import Docker from 'dockerode';

import { carryImages } from './carry-images.ts';
import { standStill } from '../stand-still.ts';
import { dockerd } from './engine.ts';

const run = promisify(execFile);
const patienceMs = 60_000;

/** Why tests with an engine of their own are left out; false: they are not. */
export function noOwnEngine(): string | false {
  if (dockerd === undefined) return 'missing: dockerd; install docker.io';
  return process.getuid?.() === 0 ? false : 'only root can start a container engine';
}

export class OwnEngine {
  readonly directory: string;
  readonly docker: Docker;
  #child: ChildProcess | undefined;
  #said = '';

  private constructor(directory: string) {
    this.directory = directory;
    this.docker = new Docker({ socketPath: this.socket });
  }

  /** It does not run yet. */
  static async make(): Promise<OwnEngine> {
    return new OwnEngine(await mkdtemp(join(tmpdir(), 'sluice-engine-')));
  }

  get socket(): string {
    return join(this.directory, 'engine.sock');
  }

  /**
   * Resolves when it answers. It sets no rule of the machine's firewall and has no default bridge, and its addresses are none that
   * the other engine gives.
   */
  async start(...options: readonly string[]): Promise<void> {
    const inside = (name: string): string => join(this.directory, name);
    const places = ['--data-root', inside('data'), '--exec-root', inside('exec'), '--pidfile', inside('pid')];
    const network = ['--iptables=false', '--ip6tables=false', '--bridge=none'];
    const addresses = ['--default-address-pool', 'base=10.213.0.0/16,size=24'];
    const listen = ['--host', `unix://${this.socket}`, '--log-level', 'error'];
    const words = [...places, ...network, ...addresses, ...listen, ...options];
    const child = spawn(dockerd ?? 'dockerd', words, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    child.stderr.on('data', (part: Buffer) => (this.#said = `${this.#said}${part.toString()}`.slice(-2000)));
    const giveUpAt = performance.now() + patienceMs;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || performance.now() > giveUpAt)
        throw new Error(`the engine does not start: ${this.#said}`);
      await sleep(50);
    }
  }

  async #answers(): Promise<boolean> {
    return this.docker.ping().then(
      () => true,
      () => false,
    );
  }

  /** Brings images of the machine's engine here. */
  async load(references: readonly string[]): Promise<void> {
    await carryImages(references, { command: ['docker', '--host', `unix://${this.socket}`, 'load'] });
  }

  /** The releases of the containers that run. */
  async releases(): Promise<readonly string[]> {
    return (await this.docker.listContainers()).map(({ Labels }) => Labels['sluice.release'] ?? 'no release');
  }

  /** As its service manager does. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    await gone;
  }

  /** It answers nobody any more, and does not end either. */
  async freeze(): Promise<void> {
    if (this.#child?.pid !== undefined) await standStill(this.#child.pid);
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** Removes all containers and networks. */
  async clear(): Promise<void> {
    for (const { Id } of await this.docker.listContainers({ all: true }))
      await this.docker.getContainer(Id).remove({ force: true, v: true });
    await this.docker.pruneNetworks();
  }

  async close(): Promise<void> {
    this.thaw();
    if (await this.#answers()) await this.clear();
    await this.stop();
    await this.#unmount();
    await rm(this.directory, { recursive: true, force: true });
  }

  /** What the engine mounts for itself below its directory stays when it ends. */
  async #unmount(): Promise<void> {
    const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
    for (const mount of mounts.filter((path) => path.startsWith(`${this.directory}/`)).reverse())
      await run('umount', [mount]);
  }
}
