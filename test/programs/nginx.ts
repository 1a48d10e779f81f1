// An NGINX of a test's own: its configuration, processes and files in one directory, ended with the test.

import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);
const places = ['nginx', '/usr/sbin/nginx', '/usr/local/sbin/nginx'];

/** Undefined where NGINX is not installed. */
export async function findNginx(): Promise<{ readonly path: string; readonly version: string } | undefined> {
  for (const path of places) {
    const found = await run(path, ['-v']).catch(() => undefined);
    if (found !== undefined) return { path, version: /nginx\/(\S+)/.exec(found.stderr)?.[1] ?? '' };
  }
  return undefined;
}

/** Why a test is left out; false where NGINX is there. In CI the runner counts it as a failure. */
export async function withoutNginx(): Promise<string | false> {
  return (await findNginx()) === undefined ? 'missing: nginx' : false;
}

export interface OwnNginxOptions {
  /** More inside `http { … }`. */
  readonly http?: string;
  readonly workers?: number;
  /** By default `include conf.d/*.conf;`. */
  readonly includes?: string;
  /** Made when it is missing; by default a new one. */
  readonly directory?: string;
}

export class OwnNginx {
  readonly directory: string;
  readonly program: readonly string[];
  readonly #options: OwnNginxOptions;

  private constructor(directory: string, path: string, options: OwnNginxOptions) {
    this.directory = directory;
    this.program = [path, '-p', directory, '-c', join(directory, 'nginx.conf')];
    this.#options = options;
  }

  static async make(options: OwnNginxOptions = {}): Promise<OwnNginx> {
    const found = await findNginx();
    if (found === undefined) throw new Error('nginx is not installed');
    // Not in a directory of ours alone: NGINX's workers may run as another user.
    const directory = options.directory ?? (await mkdtemp('/tmp/sluice-nginx-'));
    await mkdir(join(directory, 'conf.d'), { recursive: true });
    await run('chmod', ['755', directory]);
    const nginx = new OwnNginx(directory, found.path, options);
    await nginx.write();
    return nginx;
  }

  get include(): string {
    return join(this.directory, 'conf.d', 'sluice.conf');
  }

  get pidFile(): string {
    return join(this.directory, 'nginx.pid');
  }

  /** The configuration as a person would write it. */
  async write(http = this.#options.http ?? ''): Promise<void> {
    const { workers = 2, includes = 'include conf.d/*.conf;' } = this.#options;
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
    await writeFile(
      join(this.directory, 'nginx.conf'),
      `worker_processes ${workers};
pid ${this.pidFile};
error_log ${this.directory}/error.log notice;
events { worker_connections 4096; }
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${this.directory}/${name};`).join('\n')}
  ${http}
  ${includes}
}
`,
    );
  }

  async start(): Promise<void> {
    const [file = '', ...options] = this.program;
    await run(file, options);
    for (let attempt = 0; attempt < 500 && (await this.pid()) === undefined; attempt++) await sleep(10);
  }

  async pid(): Promise<number | undefined> {
    const pid = Number(await readFile(this.pidFile, 'utf8').catch(() => ''));
    return pid > 0 ? pid : undefined;
  }

  /** Master and workers at once, as a crash of the machine would. */
  async kill(): Promise<void> {
    const master = await this.pid();
    if (master === undefined) return;
    const children = await readFile(`/proc/${master}/task/${master}/children`, 'utf8').catch(() => '');
    for (const pid of [master, ...children.trim().split(' ').map(Number)]) end(pid, 'SIGKILL');
    while (alive(master)) await sleep(10);
  }

  async errors(): Promise<string> {
    return readFile(join(this.directory, 'error.log'), 'utf8').catch(() => '');
  }

  /** In good order, as a person would. */
  async stop(): Promise<void> {
    const master = await this.pid();
    if (master !== undefined) {
      end(master, 'SIGTERM');
      while (alive(master)) await sleep(10);
    }
  }

  async close(): Promise<void> {
    await this.stop();
    if (this.#options.directory === undefined) await rm(this.directory, { recursive: true, force: true });
  }
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    if (pid > 1) process.kill(pid, signal);
  } catch {
    // It is gone.
  }
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
