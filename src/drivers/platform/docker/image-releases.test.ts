import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { pipeline } from 'node:stream/promises';

import { engineSocket, noEngine } from '../../../../test/docker/engine.ts';
import { docker } from '../../../../test/docker/image.ts';
import { noRegistry, ownArchitecture, Registry, visitor } from '../../../../test/docker/registry.ts';
import type { Log } from '../../../base/log.ts';
import type { ReleaseSource } from '../../../core/plan/spec.ts';
import { releaseId } from '../../../core/release-id.ts';
import type { Artifact, Release } from '../../../core/release.ts';
import { type ContractFiles, releasesContract } from '../../../ports/releases.contract.ts';
import type { Releases } from '../../../ports/releases.ts';
import { realClock } from './fixture.ts';
import { createImageReleases } from './image-releases.ts';

const skip = noRegistry() || (await noEngine());

const engine = { kind: 'socket', path: engineSocket } as const;

interface Scene {
  readonly registry: Registry;
  readonly releases: Releases;
  /** What was logged, as text. */
  readonly logged: () => string;
  readonly source: (reference: string) => ReleaseSource;
  close(): Promise<void>;
}

async function openScene(options: { readonly closed?: boolean } = {}): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-images-'));
  const registry = await Registry.start(options);
  const lines: string[] = [];
  const log: Log = { write: (...words) => void lines.push(JSON.stringify(words)) };
  return {
    registry,
    releases: createImageReleases({ directory, clock: realClock, log }),
    logged: () => lines.join('\n'),
    source: (reference) => ({ kind: 'image', reference: `${registry.host}/${reference}`, engine }),
    close: async () => {
      await registry.close();
      await rm(directory, { recursive: true, force: true });
      for (const id of await imagesOf(registry)) await docker.getImage(id).remove({ force: true });
    },
  };
}

/** The ids of the images that the engine has from this registry. */
async function imagesOf({ host }: Registry): Promise<readonly string[]> {
  const images = await docker.listImages({ digests: true });
  const from = images.filter(({ RepoTags, RepoDigests }) =>
    [...(RepoTags ?? []), ...(RepoDigests ?? [])].some((name) => name.startsWith(`${host}/`)),
  );
  return [...new Set(from.map(({ Id }) => Id))];
}

/** The files below /app of an image that the engine has. */
async function filesIn(reference: string, directory: string): Promise<ContractFiles> {
  const container = await docker.createContainer({ Image: reference, Cmd: ['/none'] });
  try {
    const tar = spawn('tar', ['-C', directory, '-x'], { stdio: ['pipe', 'ignore', 'inherit'] });
    await pipeline(await container.getArchive({ path: '/app' }), tar.stdin);
    if (tar.exitCode === null) await new Promise((resolve) => tar.once('exit', resolve));
  } finally {
    await container.remove({ force: true });
  }
  const root = join(directory, 'app');
  const files: Record<string, string> = {};
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) files[path.slice(root.length + 1)] = await readFile(path, 'utf8');
  }
  return files;
}

const contract = {
  name: 'images of a registry',
  async open() {
    const scene = await openScene();
    const { registry, releases } = scene;
    const directory = await mkdtemp(join(tmpdir(), 'sluice-images-seen-'));
    const digests = new Map<string, string>();
    let looked = 0;
    return {
      releases: {
        identify: (source) => releases.identify(source),
        list: (service) => releases.list(service),
        remove: (id) => releases.remove(id),
        stage: async (release, source, signal) => {
          if (!digests.has(release.id)) digests.set(release.id, release.artifact.digest);
          await releases.stage(release, source, signal);
        },
      } satisfies Releases,
      source: async (name: string, files: ContractFiles) => {
        await registry.push('shop', name, below('app', files));
        return scene.source(`shop:${name}`);
      },
      absent: async () => scene.source('shop:absent'),
      stored: async (id: string) => {
        const digest = digests.get(id);
        if (digest === undefined) return undefined;
        const reference = `${registry.host}/shop@${digest}`;
        const there = await docker
          .getImage(reference)
          .inspect()
          .catch(() => undefined);
        if (there === undefined) return undefined;
        const into = join(directory, String((looked += 1)));
        await mkdir(into);
        return filesIn(reference, into);
      },
      close: async () => {
        await rm(directory, { recursive: true, force: true });
        await scene.close();
      },
    };
  },
};

function below(directory: string, files: ContractFiles): ContractFiles {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${directory}/${path}`, text]));
}

if (skip === false) {
  releasesContract({
    ...contract,
    skips: {
      'a source that is not there is release.missing, an empty one release.empty':
        'whether an image without files can run is for its engine to say; a missing one has a test of its own',
      'a source that changed since it was identified is refused and nothing is kept':
        'an image is fetched by its digest, wherever its tag leads by then',
    },
  });
}

function releaseOf(artifact: Artifact): Release {
  const run = { command: ['/none'], environment: {}, workingDirectory: '.', limits: {} };
  return { id: releaseId('shop', artifact, run), service: 'shop', artifact, run };
}

async function scene(context: TestContext, options: { readonly closed?: boolean } = {}): Promise<Scene> {
  const opened = await openScene(options);
  context.after(() => opened.close());
  return opened;
}

describe('images of a registry', { skip }, () => {
  test('what was planned is fetched, wherever the tag leads by then', async (context) => {
    const { registry, releases, source } = await scene(context);
    const digest = await registry.push('shop', '1.0', { 'app/version': '1' });
    const artifact = await releases.identify(source('shop:1.0'));
    assert.deepEqual(artifact, { kind: 'image', repository: `${registry.host}/shop`, digest });
    assert.deepEqual(await imagesOf(registry), [], 'nothing is fetched to find out');
    const later = await registry.push('shop', '1.0', { 'app/version': '2' });
    assert.notEqual(later, digest);
    await releases.stage(releaseOf(artifact), source('shop:1.0'));
    const image = await docker.getImage(`${registry.host}/shop@${digest}`).inspect();
    assert.deepEqual(image.RepoDigests, [`${registry.host}/shop@${digest}`]);
  });

  test('an image that Sluice fetched goes with its release; one that was there before stays', async (context) => {
    const { registry, releases, source } = await scene(context);
    await registry.push('shop', '1.0', { 'app/version': '1' });
    await registry.push('shop', '2.0', { 'app/version': '2' });
    await finished(await docker.pull(`${registry.host}/shop:2.0`));
    const [fetched, there] = [source('shop:1.0'), source('shop:2.0')];
    const staged = await Promise.all([fetched, there].map(async (from) => releaseOf(await releases.identify(from))));
    for (const [index, release] of staged.entries()) await releases.stage(release, index === 0 ? fetched : there);
    assert.equal((await imagesOf(registry)).length, 2);
    for (const release of staged) await releases.remove(release.id);
    const left = await docker.listImages();
    assert.deepEqual(
      left.flatMap(({ RepoTags }) => (RepoTags ?? []).filter((name) => name.startsWith(registry.host))),
      [`${registry.host}/shop:2.0`],
    );
    assert.equal((await imagesOf(registry)).length, 1);
  });

  test('the log tells that it is fetched, and how much came', async (context) => {
    const { registry, releases, source, logged } = await scene(context);
    await registry.push('shop', '1.0', { 'app/large': 'x'.repeat(3_000_000) });
    await releases.stage(releaseOf(await releases.identify(source('shop:1.0'))), source('shop:1.0'));
    assert.match(logged(), /an image is fetched.*an image was fetched.*"bytes":[1-9]/s);
  });

  test('an image that is not in the registry is missing, before anything is fetched', async (context) => {
    const { registry, releases, source } = await scene(context);
    await registry.push('shop', '1.0', { 'app/version': '1' });
    for (const reference of ['shop:2.0', 'other:1.0'])
      await assert.rejects(releases.identify(source(reference)), { code: 'release.missing', at: 'release.image' });
  });

  test('a registry that does not answer is told apart from a missing image', async (context) => {
    const { registry, releases, source } = await scene(context);
    await registry.push('shop', '1.0', { 'app/version': '1' });
    const release = releaseOf(await releases.identify(source('shop:1.0')));
    await registry.shut();
    await assert.rejects(releases.identify(source('shop:1.0')), { code: 'registry.failed' });
    await assert.rejects(releases.stage(release, source('shop:1.0')), { code: 'registry.failed' });
    assert.deepEqual(await releases.list('shop'), []);
    await registry.open();
    await releases.stage(release, source('shop:1.0'));
    assert.equal((await releases.list('shop')).length, 1);
  });

  test('an image for other kinds of machines only is refused by name', async (context) => {
    const { registry, releases, source } = await scene(context);
    const others = ['s390x', 'ppc64le'];
    await registry.pushFor('shop', 'elsewhere', others);
    await registry.pushFor('shop', 'everywhere', [...others, ownArchitecture]);
    await assert.rejects(releases.identify(source('shop:elsewhere')), {
      code: 'release.unsupported',
      message: new RegExp(`linux/s390x, linux/ppc64le only, but linux/${ownArchitecture} is needed`),
    });
    const artifact = await releases.identify(source('shop:everywhere'));
    await releases.stage(releaseOf(artifact), source('shop:everywhere'));
    const image = await docker.getImage(`${registry.host}/shop@${artifact.digest}`).inspect();
    assert.equal(image.Architecture, ownArchitecture);
  });

  test('an image of the machine that was also pushed elsewhere is pinned as what the machine has', async (context) => {
    const { registry, releases, source } = await scene(context);
    const name = `shop-${randomBytes(6).toString('hex')}`;
    await registry.push(name, '1.0', { 'app/version': '1' });
    const pushed = source(`${name}:1.0`);
    await finished(await docker.pull(`${registry.host}/${name}:1.0`));
    await docker.getImage(`${registry.host}/${name}:1.0`).tag({ repo: name, tag: '1.0' });
    const { Id } = await docker.getImage(`${name}:1.0`).inspect();
    const local = { kind: 'image', reference: `${name}:1.0`, engine } as const;
    const artifact = await releases.identify(local);
    assert.deepEqual(artifact, { kind: 'image', repository: name, digest: Id });
    await releases.stage(releaseOf(artifact), local);
    assert.equal((await releases.list('shop')).length, 1);
    assert.notEqual((await releases.identify(pushed)).digest, Id, 'of the registry it has the digest of there');
  });

  test('a registry that asks who is there gets what docker login wrote, and nobody else does', async (context) => {
    const { registry, releases, source, logged } = await scene(context, { closed: true });
    const before = process.env['DOCKER_CONFIG'];
    const config = await mkdtemp(join(tmpdir(), 'sluice-login-'));
    context.after(async () => {
      if (before === undefined) delete process.env['DOCKER_CONFIG'];
      else process.env['DOCKER_CONFIG'] = before;
      await rm(config, { recursive: true });
    });
    process.env['DOCKER_CONFIG'] = config;
    await registry.push('shop', '1.0', { 'app/version': '1' });
    const refused = { code: 'release.missing', message: /no basic auth credentials/ };
    await assert.rejects(releases.identify(source('shop:1.0')), refused);

    const login = (password: string): Promise<void> => {
      const auth = Buffer.from(`${visitor.name}:${password}`).toString('base64');
      return writeFile(join(config, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth } } }));
    };
    await login('guessed-wrong');
    await assert.rejects(releases.identify(source('shop:1.0')), (error: Error & { code: string }) => {
      assert.equal(error.code, 'release.missing');
      assert.doesNotMatch(JSON.stringify(error) + error.message, /guessed-wrong/);
      return true;
    });
    await login(visitor.password);
    await releases.stage(releaseOf(await releases.identify(source('shop:1.0'))), source('shop:1.0'));
    assert.equal((await imagesOf(registry)).length, 1);
    assert.doesNotMatch(logged(), new RegExp(visitor.password));
  });
});

function finished(stream: NodeJS.ReadableStream): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  docker.modem.followProgress(stream, (error: Error | null) => (error === null ? resolve() : reject(error)));
  return promise;
}
