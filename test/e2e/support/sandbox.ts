// A directory in which a person works with the real CLI, and a home of its own in which everything that it changes can be seen.

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { stringify } from 'yaml';

import { takeDown } from '../../../src/compose.ts';
import { placesUnder } from '../../../src/places.ts';
import type { FailureData } from '../../../src/base/failure.ts';
import type { Scope } from '../../../src/core/scope.ts';
import { removeTree } from '../../../src/drivers/releases/directory/tree-copy.ts';
import { listProxies } from '../../../src/drivers/router/embedded/driver.ts';
import { openSqliteStore } from '../../../src/drivers/store/sqlite/driver.ts';
import { freePort } from '../../free-port.ts';
import { programPath } from '../../package/program.ts';

/** Longest that a command of a test may take. */
const patienceMs = 90_000;

/** Healthy as soon as the file `well` lies beside its release's source, or at once where it is told to wait for none. */
const service = `
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
const version = readFileSync('version', 'utf8');
const { PORT, WELL } = process.env;
createServer((request, response) => {
  response.statusCode = request.url === '/health' && WELL !== undefined && !existsSync(WELL) ? 503 : 200;
  response.end(version);
}).listen(Number(PORT), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
`;

/** What a command came to. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The comparison with stable in tests of other things: few requests are enough, and on a machine that stands still for a moment
 * nobody is blamed for being slow.
 */
export const calm = { preset: 'low-traffic', latencyFloor: '5s' } as const;

export class Sandbox {
  readonly scope: Scope = { service: 'shop', environment: 'production' };
  readonly directory: string;
  readonly port: number;
  readonly #children = new Set<ChildProcess>();
  #unmount: (() => void) | undefined;

  private constructor(directory: string, port: number) {
    this.directory = directory;
    this.port = port;
  }

  static async open(): Promise<Sandbox> {
    return new Sandbox(await mkdtemp(join(tmpdir(), 'sluice-c-')), await freePort());
  }

  get home(): string {
    return join(this.directory, 'home');
  }

  get store(): string {
    return placesUnder(this.home).store;
  }

  async write(name: string, content: string): Promise<string> {
    const file = join(this.directory, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, content);
    return file;
  }

  /** A release of the service, in the directory `release`. */
  async release(version: string): Promise<void> {
    await this.write('release/server.mjs', service);
    await this.write('release/version', version);
  }

  /** The configuration, with `changes` over a plain one. */
  async configure(changes: object = {}): Promise<void> {
    await this.write('sluice.yaml', stringify({ ...this.plain(), ...changes }));
  }

  plain() {
    return {
      service: this.scope.service,
      release: { directory: 'release', command: [process.execPath, 'server.mjs'] },
      health: { path: '/health', interval: '50ms', timeout: '60s' },
      gates: { compare: calm, errorRate: 'off', availability: 'off', p95: 'off' },
      watch: { for: '0s' },
      drain: '1s',
      stopGrace: '5s',
      strategy: { 'blue-green': { observe: '0s', keepOld: '0s' } },
      router: { embedded: { listen: `127.0.0.1:${this.port}` } },
    };
  }

  /** Runs the CLI to its end, with nothing to read from and no terminal. */
  async sluice(...words: readonly string[]): Promise<Ran> {
    const child = this.start(...words);
    const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr), ended(child)]);
    return { code: child.exitCode, stdout, stderr };
  }

  start(...words: readonly string[]): ChildProcess {
    const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_') && name !== 'CI');
    const child = spawn(process.execPath, [programPath, ...words], {
      cwd: this.directory,
      env: { ...Object.fromEntries(kept), SLUICE_HOME: this.home },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: patienceMs,
      killSignal: 'SIGKILL',
    });
    this.#children.add(child);
    return child;
  }

  /** All that a deployment would change. */
  async traces(): Promise<object> {
    const places = placesUnder(this.home);
    const proxies = await listProxies(places.proxies);
    return {
      deployments: await this.#deployments(),
      instances: await namesIn(join(places.instances, 'instances')),
      releases: await namesIn(join(places.releases, this.scope.service)),
      proxies: proxies.map(({ scope, pid, revision }) => ({ scope, pid, revision })),
    };
  }

  async #deployments(): Promise<readonly string[]> {
    if (!(await namesIn(this.home)).includes('sluice.db')) return [];
    const store = openSqliteStore({ file: this.store });
    try {
      const rollouts = await store.rollouts({ limit: 100 });
      return rollouts.map(({ id, status, version }) => `${id} ${status} ${version}`);
    } finally {
      store.close();
    }
  }

  /** All that were touched; a store that a test has damaged tells of none. */
  async #scopes(): Promise<readonly Scope[]> {
    const proxies = await listProxies(placesUnder(this.home).proxies);
    return [this.scope, ...proxies.map(({ scope }) => scope)];
  }

  /** The home lies on a disk of its own, which has to go before its directory can. */
  mounted(unmount: () => void): void {
    this.#unmount = unmount;
  }

  async close(): Promise<void> {
    for (const child of this.#children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await ended(child);
    }
    for (const scope of await this.#scopes()) await takeDown(this.home, scope);
    this.#unmount?.();
    await removeTree(this.directory);
  }
}

/** The command did what it was asked. */
export function done({ code, stdout, stderr }: Ran): void {
  assert.equal(code, 0, `${stdout}${stderr}`);
}

/** What went wrong, as `--json` says it. */
export function failureIn({ stdout, stderr, code }: Ran): FailureData {
  const last = stdout.trim().split('\n').at(-1) ?? '';
  const { error } = JSON.parse(last === '' ? '{}' : last) as { readonly error?: FailureData };
  if (error === undefined) throw new Error(`no failure was told; exit code ${code}, ${stdout}${stderr}`);
  return error;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

function read(stream: ChildProcess['stdout']): Promise<string> {
  return stream === null ? Promise.resolve('') : text(stream);
}

async function namesIn(directory: string): Promise<readonly string[]> {
  const names: string[] = await readdir(directory).catch(() => []);
  return names.toSorted((a, b) => (a < b ? -1 : 1));
}
