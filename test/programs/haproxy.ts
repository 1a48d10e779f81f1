// A HAProxy of a test's own: in master-worker mode, with a configuration of its user's, in a directory of its own, ended with the test.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { openSession } from '../../src/drivers/router/haproxy/runtime/session.ts';

const execute = promisify(execFile);

/** Where HAProxy is installed; undefined where it is not. */
export async function findHaproxy(): Promise<string | undefined> {
  for (const path of ['haproxy', '/usr/sbin/haproxy', '/usr/local/sbin/haproxy']) {
    if ((await execute(path, ['-v']).catch(() => undefined)) !== undefined) return path;
  }
  return undefined;
}

/** Why the tests that need HAProxy are left out; false where it is there. */
export const withoutHaproxy = (await findHaproxy()) === undefined ? 'missing: haproxy (package haproxy)' : false;

export interface HaproxyOptions {
  /** What else the user's own configuration says. */
  readonly more?: string;
  /** `level admin expose-fd listeners` where nothing else is said. */
  readonly socketOptions?: string;
  /** Further stats sockets. */
  readonly sockets?: readonly string[];
  /** Loads Sluice's directory; true where nothing else is said. */
  readonly loads?: boolean;
}

/** HAProxy in master-worker mode. */
export class Haproxy {
  readonly directory: string;
  readonly config: string;
  readonly socket: string;
  readonly pidFile: string;
  readonly own: string;
  #child: ChildProcess | undefined;
  #said = '';
  readonly #options: HaproxyOptions;

  private constructor(directory: string, options: HaproxyOptions) {
    this.directory = directory;
    this.config = join(directory, 'haproxy.cfg');
    this.socket = join(directory, 'admin.sock');
    this.pidFile = join(directory, 'haproxy.pid');
    this.own = join(directory, 'sluice');
    this.#options = options;
  }

  static async start(options: HaproxyOptions = {}): Promise<Haproxy> {
    const haproxy = new Haproxy(await mkdtemp(join(tmpdir(), 'sluice-haproxy-')), options);
    await mkdir(haproxy.own);
    await haproxy.writeConfig(options.more ?? '');
    await haproxy.run();
    return haproxy;
  }

  /** What HAProxy wrote. */
  get said(): string {
    return this.#said;
  }

  get command(): readonly string[] {
    return [
      '-W',
      '-db',
      '-p',
      this.pidFile,
      '-f',
      this.config,
      ...(this.#options.loads === false ? [] : ['-f', this.own]),
    ];
  }

  async writeConfig(more: string): Promise<void> {
    await writeFile(
      this.config,
      `global
  stats socket ${this.socket} mode 600 ${this.#options.socketOptions ?? 'level admin expose-fd listeners'}
${(this.#options.sockets ?? []).map((socket) => `  stats socket ${socket}\n`).join('')}  nbthread 2
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend own
  bind ${join(this.directory, 'own.sock')}
${more}
`,
    );
  }

  /** Resolves when it answers. */
  async run(): Promise<void> {
    const child = spawn((await findHaproxy()) ?? 'haproxy', this.command, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (this.#said += chunk.toString()));
    for (let tries = 0; tries < 500; tries++) {
      if (child.exitCode !== null) throw new Error(`HAProxy ended: ${this.#said}`);
      if (await this.answers()) return;
      await sleep(10);
    }
    throw new Error(`HAProxy does not answer: ${this.#said}`);
  }

  async answers(): Promise<boolean> {
    return (await this.ask('show info').catch(() => '')) !== '';
  }

  /** An order over the Runtime API. */
  async ask(order: string): Promise<string> {
    const session = openSession({ path: this.socket }, { timeoutMs: 2_000 });
    try {
      return await session.command(order);
    } finally {
      session.close();
    }
  }

  async master(): Promise<number> {
    return Number((await readFile(this.pidFile, 'utf8')).trim());
  }

  /** Kills master and worker at once, as a crash of the machine would. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    const workers = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').catch(() => '');
    child.kill('SIGKILL');
    for (const worker of workers.trim().split(' ').filter(Boolean)) kill(Number(worker));
    await gone;
    while (await this.answers()) await sleep(5);
  }

  async end(): Promise<void> {
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It was gone already.
  }
}
