// A real Prometheus for tests: its own directory and port, a scrape each second, targets that come and go while it runs.

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../free-port.ts';
import { standStill } from '../stand-still.ts';

/** Why tests with a real Prometheus are left out; false where it is there. */
export const withoutPrometheus: string | false = hasPrometheus() ? false : 'missing: prometheus (package prometheus)';

function hasPrometheus(): boolean {
  try {
    execFileSync('prometheus', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** User and password of a server with `password: true`. */
export const prometheusUser = { user: 'admin', password: 'test' } as const;

/** The example of Prometheus's own documentation. */
const bcryptOfTest = '$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay';

export interface PrometheusSettings {
  /** Asks for a user and a password. */
  readonly password?: boolean;
  /** PEM files. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Queries with the label `remote="yes"` are also put to this address. */
  readonly remote?: string;
}

export class TestPrometheus {
  readonly port: number;
  readonly #directory: string;
  readonly #settings: PrometheusSettings;
  #child: ChildProcess | undefined;

  private constructor(directory: string, port: number, settings: PrometheusSettings) {
    this.#directory = directory;
    this.port = port;
    this.#settings = settings;
  }

  static async start(settings: PrometheusSettings = {}): Promise<TestPrometheus> {
    const server = new TestPrometheus(await mkdtemp(join(tmpdir(), 'sluice-p-')), await freePort(), settings);
    await server.#configure();
    await server.startAgain();
    return server;
  }

  get url(): string {
    return `http${this.#settings.tls === undefined ? '' : 's'}://127.0.0.1:${this.port}`;
  }

  /** Files that lie here, as `*.json`, name targets; see `file_sd_configs`. */
  get targets(): string {
    return join(this.#directory, 'targets');
  }

  /** Scrapes what is at an address from now on. */
  async scrape(name: string, address: string, labels: Readonly<Record<string, string>> = {}): Promise<void> {
    await writeFile(join(this.targets, `${name}.json`), JSON.stringify([{ targets: [address], labels }]));
  }

  async #configure(): Promise<void> {
    await mkdir(this.targets);
    const { remote, password, tls } = this.#settings;
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [
        {
          job_name: 'files',
          file_sd_configs: [{ files: [join(this.targets, '*.json')], refresh_interval: '1s' }],
          honor_labels: true,
        },
      ],
      ...(remote === undefined
        ? {}
        : { remote_read: [{ url: remote, read_recent: true, required_matchers: { remote: 'yes' } }] }),
    };
    const web = {
      ...(password === true ? { basic_auth_users: { [prometheusUser.user]: bcryptOfTest } } : {}),
      ...(tls === undefined ? {} : { tls_server_config: { cert_file: tls.certificate, key_file: tls.key } }),
    };
    await writeFile(join(this.#directory, 'prometheus.yml'), JSON.stringify(config));
    await writeFile(join(this.#directory, 'web.yml'), JSON.stringify(web));
  }

  /** With what it has stored. Resolves when it answers. */
  async startAgain(): Promise<void> {
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(this.#directory, 'prometheus.yml')}`,
        `--web.config.file=${join(this.#directory, 'web.yml')}`,
        `--storage.tsdb.path=${join(this.#directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${this.port}`,
        '--enable-feature=native-histograms',
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => (words = (words + chunk.toString()).slice(-2000)));
    this.#child = child;
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if (child.exitCode !== null) throw new Error(`prometheus ended by itself: ${words}`);
      if (await this.#isReady()) return;
      await sleep(100);
    }
    throw new Error(`prometheus does not become ready: ${words}`);
  }

  /** A server with a certificate of its own, or with a password, is ready when it listens. */
  async #isReady(): Promise<boolean> {
    const { tls, password } = this.#settings;
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}/-/ready`);
      await response.body?.cancel();
      return response.ok || tls !== undefined || (password === true && response.status === 401);
    } catch {
      return false;
    }
  }

  /** Stands still, as under a load that is too much for it, until it is stopped or `goOn`. */
  async freeze(): Promise<void> {
    if (this.#child?.pid !== undefined) await standStill(this.#child.pid);
  }

  goOn(): void {
    this.#child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
