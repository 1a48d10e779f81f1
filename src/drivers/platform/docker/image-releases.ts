// The release store for images: the engine and its registry keep the images, this keeps the record of which release is which.

import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { writeDurably } from '../../../base/durable-file.ts';
import { Failure } from '../../../base/failure.ts';
import { type Log, silentLog } from '../../../base/log.ts';
import { releaseParts } from '../../../base/release-path.ts';
import { diskFailure, isCode } from '../../../base/system-error.ts';
import type { DockerEngineSpec, ReleaseSource } from '../../../core/plan/spec.ts';
import type { Artifact, Release, ReleaseId } from '../../../core/release.ts';
import { assertFixedReference, assertSameContents } from '../../../core/release-id.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Releases, StoredRelease } from '../../../ports/releases.ts';
import type { Image } from './answers.ts';
import { connectEngine, EngineRefusal } from './connection.ts';
import { EngineApi } from './engine-api.ts';
import { isSameRepository, repositoryOf } from './image-name.ts';
import { findImage, pullImage, refusedAs } from './images.ts';
import { registryAuth } from './registry-auth.ts';

export interface ImageReleasesOptions {
  /** Where the records are; made when it is missing. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log?: Log | undefined;
}

type ImageSource = ReleaseSource & { readonly kind: 'image' };

const Engine = z.custom<DockerEngineSpec>((value) => typeof value === 'object' && value !== null && 'kind' in value);

const Kept = z.object({
  id: z.string(),
  repository: z.string(),
  digest: z.string(),
  engine: Engine,
  /** Whether Sluice fetched it: only then Sluice removes it again. */
  fetched: z.boolean(),
  storedAt: z.number(),
  bytes: z.number(),
});

type Kept = z.infer<typeof Kept>;

export function createImageReleases(options: ImageReleasesOptions): Releases {
  return new ImageReleases(options);
}

class ImageReleases implements Releases {
  readonly #options: ImageReleasesOptions;

  constructor(options: ImageReleasesOptions) {
    this.#options = options;
  }

  /** What the engine has under the name counts, or else what the registry says. */
  async identify(source: ReleaseSource): Promise<Artifact> {
    const { reference, platform, engine } = imageSource(source);
    assertFixedReference(reference);
    const api = this.#api(engine);
    const repository = repositoryOf(reference);
    const image = await api.image(reference);
    if (image !== undefined) {
      await assertPlatform(api, image, reference, platform);
      return { kind: 'image', repository, digest: digestOf(image, reference) };
    }
    const auth = await registryAuth(reference);
    const { Descriptor, Platforms } = await refusedAs(reference, api.inRegistry(reference, auth));
    await assertOffered(api, Platforms ?? [], reference, platform);
    return { kind: 'image', repository, digest: Descriptor.digest };
  }

  async stage(release: Release, source: ReleaseSource, signal?: AbortSignal): Promise<void> {
    const { engine, platform, reference } = imageSource(source);
    const { artifact } = release;
    if (artifact.kind !== 'image') throw new Error(`invariant broken: ${release.id} is no image`);
    const known = await this.#read(release.id);
    if (known !== undefined) return assertSameContents(release, known.digest);
    signal?.throwIfAborted();
    const api = this.#api(engine);
    const { clock, log = silentLog } = this.#options;
    let found = await findImage(api, artifact);
    const fetched = found === undefined;
    if (fetched) {
      const fixed = `${artifact.repository}@${artifact.digest}`;
      await pullImage(api, fixed, { platform, clock, log, signal });
      found = await findImage(api, artifact);
      if (found === undefined) throw vanished(reference);
      await assertPlatform(api, found.image, reference, platform);
    }
    await this.#write({
      id: release.id,
      repository: artifact.repository,
      digest: artifact.digest,
      engine,
      fetched,
      storedAt: clock.now(),
      bytes: found?.image.Size ?? 0,
    });
  }

  async list(service: string): Promise<readonly StoredRelease[]> {
    const kept = await this.#all(service);
    return kept.map(({ id, storedAt, bytes }) => ({ id, storedAt, bytes }));
  }

  async remove(release: ReleaseId): Promise<void> {
    const kept = await this.#read(release);
    if (kept === undefined) return;
    await rm(this.#file(release), { force: true });
    const shared = (await this.#all(releaseParts(release).service)).some(({ digest }) => digest === kept.digest);
    if (!kept.fetched || shared) return;
    const { clock: _, log = silentLog } = this.#options;
    const api = this.#api(kept.engine);
    try {
      const found = await findImage(api, kept);
      if (found !== undefined) await api.removeImage(found.reference);
    } catch (error) {
      // Some container still needs it, or the engine does not answer: the disk space is all that is lost.
      if (!(error instanceof EngineRefusal) && !(error instanceof Failure)) throw error;
      log.write('warn', 'an image was not removed', { release, error });
    }
  }

  #api(engine: DockerEngineSpec): EngineApi {
    return new EngineApi(connectEngine(engine, this.#options.clock));
  }

  #file(release: ReleaseId): string {
    const { service, digits } = releaseParts(release);
    return join(this.#options.directory, service, `${digits}.json`);
  }

  async #read(release: ReleaseId): Promise<Kept | undefined> {
    return readKept(this.#file(release));
  }

  async #all(service: string): Promise<readonly Kept[]> {
    const directory = join(this.#options.directory, releaseParts(`${service}@000000000000`).service);
    const names = await readdir(directory).catch((error: unknown) => {
      if (isCode(error, 'ENOENT')) return [];
      throw diskFailure(error, directory);
    });
    const files = names.filter((name) => /^[0-9a-f]{12}\.json$/.test(name)).map((name) => join(directory, name));
    const kept = (await Promise.all(files.map(readKept))).filter((each) => each !== undefined);
    return kept.sort((a, b) => a.storedAt - b.storedAt);
  }

  async #write(kept: Kept): Promise<void> {
    const file = this.#file(kept.id);
    try {
      await mkdir(join(file, '..'), { recursive: true, mode: 0o755 });
      await writeDurably(file, `${JSON.stringify(kept, undefined, 2)}\n`, 0o644);
    } catch (error) {
      throw diskFailure(error, file);
    }
  }
}

function imageSource(source: ReleaseSource): ImageSource {
  if (source.kind === 'image') return source;
  throw new Error(`invariant broken: ${source.directory} is a directory, not an image`);
}

async function readKept(file: string): Promise<Kept | undefined> {
  try {
    return Kept.parse(JSON.parse(await readFile(file, 'utf8')));
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw new Failure('disk.failed', 'The record of an image cannot be read.', {
      at: file,
      remedy: `Remove it (it was changed by hand) and deploy the release again.`,
      cause: error,
    });
  }
}

/** The digest that was named, or the one under which the registry gave it, or the engine's own id of an image made here. */
function digestOf(image: Image, reference: string): string {
  const named = reference.split('@')[1];
  if (named !== undefined) return named;
  const repository = repositoryOf(reference);
  const own = (image.RepoDigests ?? []).find((digest) => isSameRepository(repositoryOf(digest), repository));
  return own?.split('@')[1] ?? image.Id;
}

async function assertPlatform(
  api: EngineApi,
  image: Image,
  reference: string,
  wanted: string | undefined,
): Promise<void> {
  const is = platformName(image.Os, image.Architecture);
  const needed = wanted ?? (await enginePlatform(api));
  if (isSamePlatform(is, needed)) return;
  throw wrongPlatform(`The image ${reference} is for ${is}`, needed);
}

async function assertOffered(
  api: EngineApi,
  offered: readonly { readonly os?: string | undefined; readonly architecture?: string | undefined }[],
  reference: string,
  wanted: string | undefined,
): Promise<void> {
  const names = offered.map(({ os = '', architecture = '' }) => platformName(os, architecture)).filter(isNamed);
  const needed = wanted ?? (await enginePlatform(api));
  if (names.length === 0 || names.some((name) => isSamePlatform(name, needed))) return;
  throw wrongPlatform(`The registry has the image ${reference} for ${names.join(', ')} only`, needed);
}

async function enginePlatform(api: EngineApi): Promise<string> {
  const { Os, Arch } = await api.version();
  return platformName(Os, Arch);
}

const otherNames: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64', armhf: 'arm', armv7l: 'arm' };

function platformName(os: string, architecture: string): string {
  return `${os}/${otherNames[architecture] ?? architecture}`;
}

function isNamed(platform: string): boolean {
  return !/^\/|\/$|unknown/.test(platform);
}

/** Variants are left to the engine. */
function isSamePlatform(a: string, b: string): boolean {
  const [left, right] = [a, b].map((name) => name.split('/').slice(0, 2).join('/'));
  return left === right;
}

function wrongPlatform(what: string, needed: string): Failure {
  return new Failure('release.unsupported', `${what}, but ${needed} is needed.`, {
    at: 'release.image',
    remedy: 'Build the image for that platform, or set `platform.docker.platform` to run it emulated.',
  });
}

function vanished(reference: string): Failure {
  return new Failure('release.changed', `The image ${reference} is not what was planned any more.`, {
    at: 'release.image',
    remedy: 'Plan and deploy it again.',
  });
}
