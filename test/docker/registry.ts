// A registry of images on loopback, the real program; images are put into it by its API, so that the same contents are the same image.

import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';

import { freePort } from '../free-port.ts';

const run = promisify(execFile);

const program = ['/usr/bin/docker-registry'].find((path) => existsSync(path));

/** Why tests with a registry are left out; false: they are not. */
export function noRegistry(): string | false {
  return program === undefined ? 'missing: docker-registry; install docker-registry' : false;
}

/** Who may use a registry that asks for it. */
export const visitor = { name: 'shop', password: 'correct-horse-battery' } as const;

/** Of the password; the registry takes bcrypt only. */
const passwordHash = '$2y$05$abcdefghijklmnopqrstuuSnF5tLPqPFqc0z9CY0HcSLFbSRlL67u';

const patienceMs = 20_000;

const media = {
  list: 'application/vnd.docker.distribution.manifest.list.v2+json',
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const;

export const ownArchitecture = process.arch === 'x64' ? 'amd64' : process.arch;

export class Registry {
  /** `127.0.0.1:40123`, the first part of its images' names. */
  readonly host: string;
  readonly #directory: string;
  readonly #closed: boolean;
  #child: ChildProcess | undefined;

  private constructor(host: string, directory: string, closed: boolean) {
    this.host = host;
    this.#directory = directory;
    this.#closed = closed;
  }

  /** Resolves when it answers. `closed`: to everybody but the visitor. */
  static async start({ closed = false }: { readonly closed?: boolean } = {}): Promise<Registry> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-registry-'));
    const registry = new Registry(`127.0.0.1:${await freePort()}`, directory, closed);
    const users = join(directory, 'users');
    await writeFile(users, `${visitor.name}:${passwordHash}\n`);
    const settings = {
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(directory, 'data') } },
      http: { addr: registry.host },
      ...(closed ? { auth: { htpasswd: { realm: 'images', path: users } } } : {}),
    };
    await writeFile(join(directory, 'settings.yml'), JSON.stringify(settings));
    await registry.open();
    return registry;
  }

  async open(): Promise<void> {
    const child = spawn(program ?? 'docker-registry', ['serve', join(this.#directory, 'settings.yml')], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#child = child;
    let said = '';
    child.stderr.on('data', (part: Buffer) => (said = `${said}${part.toString()}`.slice(-2000)));
    const giveUpAt = performance.now() + patienceMs;
    while (!(await this.#answers())) {
      if (child.exitCode !== null || performance.now() > giveUpAt)
        throw new Error(`the registry does not start: ${said}`);
      await sleep(20);
    }
  }

  async #answers(): Promise<boolean> {
    return fetch(`http://${this.host}/v2/`).then(
      async (response) => (await response.text()) !== 'never',
      () => false,
    );
  }

  /** Makes the tag lead to an image of just these files; resolves with the digest of it. */
  async push(
    name: string,
    tag: string,
    files: Readonly<Record<string, string>>,
    architecture: string = ownArchitecture,
  ): Promise<string> {
    const layer = await this.#tarOf(files);
    const config = json({
      architecture,
      os: 'linux',
      created: '1970-01-01T00:00:00Z',
      config: { Cmd: ['/none'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
      history: [{ created: '1970-01-01T00:00:00Z' }],
    });
    const packed = gzipSync(layer);
    await this.#putBlob(name, config);
    await this.#putBlob(name, packed);
    const manifest = json({
      schemaVersion: 2,
      mediaType: media.manifest,
      config: { mediaType: media.config, size: config.length, digest: digestOf(config) },
      layers: [{ mediaType: media.layer, size: packed.length, digest: digestOf(packed) }],
    });
    await this.#putManifest(name, tag, manifest, media.manifest);
    return digestOf(manifest);
  }

  /** Makes the tag lead to one image for each architecture. */
  async pushFor(name: string, tag: string, architectures: readonly string[]): Promise<void> {
    const manifests = [];
    for (const architecture of architectures) {
      const digest = await this.push(name, `${tag}-${architecture}`, { 'app/for': architecture }, architecture);
      const size = Number((await this.#ask('HEAD', `/v2/${name}/manifests/${digest}`)).headers.get('content-length'));
      manifests.push({ mediaType: media.manifest, size, digest, platform: { os: 'linux', architecture } });
    }
    await this.#putManifest(name, tag, json({ schemaVersion: 2, mediaType: media.list, manifests }), media.list);
  }

  async #tarOf(files: Readonly<Record<string, string>>): Promise<Buffer> {
    const root = await mkdtemp(join(this.#directory, 'image-'));
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, path)), { recursive: true });
      await writeFile(join(root, path), text);
    }
    const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=u=rwX,go=rX'];
    const { stdout } = await run('tar', [...same, '-C', root, '-c', '.'], { encoding: 'buffer', maxBuffer: 1e8 });
    return stdout;
  }

  async #putBlob(name: string, blob: Buffer): Promise<void> {
    const begun = await this.#ask('POST', `/v2/${name}/blobs/uploads/`);
    const place = new URL(begun.headers.get('location') ?? '', `http://${this.host}`);
    place.searchParams.set('digest', digestOf(blob));
    await this.#ask('PUT', `${place.pathname}${place.search}`, blob, 'application/octet-stream');
  }

  async #putManifest(name: string, tag: string, manifest: Buffer, type: string): Promise<void> {
    await this.#ask('PUT', `/v2/${name}/manifests/${tag}`, manifest, type);
  }

  async #ask(method: string, path: string, body?: Buffer, type?: string): Promise<Response> {
    const user = Buffer.from(`${visitor.name}:${visitor.password}`).toString('base64');
    const headers = {
      accept: Object.values(media).join(', '),
      ...(this.#closed ? { authorization: `Basic ${user}` } : {}),
      ...(type === undefined ? {} : { 'content-type': type }),
    };
    const response = await fetch(`http://${this.host}${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }

  /** It answers nobody any more; what is in it stays. */
  async shut(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async close(): Promise<void> {
    await this.shut();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
