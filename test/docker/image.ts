// Images made on this machine, none pulled: one with this very Node in it, and others on top of it.

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, copyFile, cp, mkdir, mkdtemp, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { engineSocket } from './engine.ts';

const run = promisify(execFile);

export const docker = new Docker({ socketPath: engineSocket });

/** What goes into an image: paths inside it, and what stands there. */
export interface Contents {
  /** Programs of this machine; the libraries that they are linked with come along. */
  readonly programs: Readonly<Record<string, string>>;
  /** Directories of this machine. */
  readonly trees?: readonly string[];
  readonly files?: Readonly<Record<string, string>>;
  /** Empty, and for everybody to write in. */
  readonly folders?: readonly string[];
  /** Lines of a Dockerfile, such as `ENV PATH=/bin`. */
  readonly changes: readonly string[];
}

const accounts = 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n';

/** An image of programs of this machine; made where the engine does not have it yet. The reference has to change with the contents. */
export async function importedImage(reference: string, contents: Contents): Promise<string> {
  if (await hasImage(reference)) return reference;
  const root = await mkdtemp(join(tmpdir(), 'sluice-image-'));
  try {
    const files = { 'etc/passwd': accounts, 'etc/group': 'root:x:0:\nnogroup:x:65534:\n', ...contents.files };
    for (const folder of ['tmp', ...(contents.folders ?? [])]) {
      await mkdir(join(root, folder), { recursive: true });
      await chmod(join(root, folder), 0o777);
    }
    for (const tree of contents.trees ?? []) await cp(tree, join(root, tree), { recursive: true });
    for (const [inside, program] of Object.entries(contents.programs)) {
      await put(root, program, inside);
      await addLibraries(root, program);
    }
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
    const [repo, tag] = reference.split(':');
    await finished(await docker.importImage(tarOf(root), { repo, tag, changes: contents.changes.join('\n') }));
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  return reference;
}

/** Its tag names the Node that is in it, and `localhost` a registry that even Podman does not look for elsewhere. */
export async function nodeImage(): Promise<string> {
  const node = await realpath(process.execPath);
  const { size, mtimeMs } = await stat(node);
  const tag = createHash('sha256')
    .update(`${process.version} ${process.arch} ${size} ${mtimeMs} 2`)
    .digest('hex')
    .slice(0, 12);
  return importedImage(`localhost/sluice-test/node:${tag}`, {
    programs: { 'bin/node': node },
    folders: ['app'],
    changes: ['ENV PATH=/bin', 'WORKDIR /app'],
  });
}

export async function hasImage(reference: string): Promise<boolean> {
  return docker
    .getImage(reference)
    .inspect()
    .then(
      () => true,
      () => false,
    );
}

/** Puts the libraries of a program where it looks for them. */
async function addLibraries(root: string, program: string): Promise<void> {
  const { stdout } = await run('ldd', [program]);
  const libraries = [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path);
  for (const library of libraries) await put(root, library, library);
  await symlink('usr/lib', join(root, 'lib')).catch(() => undefined);
}

async function put(root: string, from: string, to: string): Promise<void> {
  await mkdir(dirname(join(root, to)), { recursive: true });
  await copyFile(await realpath(from), join(root, to));
}

/** Where a program of this machine lies. */
export async function whereIs(program: string): Promise<string> {
  const { stdout } = await run('which', [program], {
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
  });
  return stdout.trim();
}

/** An image of a Dockerfile and files beside it; resolves with the engine's id of it. */
export async function buildImage(reference: string, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-image-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
    return await buildImageOf(reference, root);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** An image of a directory with a Dockerfile. */
export async function buildImageOf(reference: string, directory: string): Promise<string> {
  await finished(await docker.buildImage(tarOf(directory), { t: reference, forcerm: true }));
  return (await docker.getImage(reference).inspect()).Id;
}

function tarOf(root: string): Readable {
  return spawn('tar', ['-C', root, '-c', '.'], { stdio: ['ignore', 'pipe', 'inherit'] }).stdout;
}

function finished(stream: NodeJS.ReadableStream): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  docker.modem.followProgress(stream, (error: Error | null, output: { error?: string }[] | null) => {
    const failed = error ?? output?.find((line) => line.error !== undefined)?.error;
    if (failed === undefined || failed === null) resolve();
    else reject(failed instanceof Error ? failed : new Error(failed));
  });
  return promise;
}

/** Removes containers, and networks, that carry this label; for what a test leaves. */
export async function removeLabelled(label: string, engine: Docker = docker): Promise<void> {
  const filters = { label: [label] };
  for (const { Id } of await engine.listContainers({ all: true, filters }))
    await engine
      .getContainer(Id)
      .remove({ force: true, v: true })
      .catch(() => undefined);
  for (const { Id } of await engine.listNetworks({ filters }))
    await engine
      .getNetwork(Id)
      .remove()
      .catch(() => undefined);
}
