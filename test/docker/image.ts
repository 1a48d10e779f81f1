// Images made on this machine, none pulled: one with this very Node in it, and others on top of it.

import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, mkdir, copyFile, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import Docker from 'dockerode';
import { engineSocket } from './engine.ts';

const run = promisify(execFile);

export const docker = new Docker({ socketPath: engineSocket });

/** Made once per machine: its tag names the Node that is in it. */
export async function nodeImage(): Promise<string> {
  const node = await realpath(process.execPath);
  const { size, mtimeMs } = await stat(node);
  const tag = createHash('sha256')
    .update(`${process.version} ${process.arch} ${size} ${mtimeMs} 1`)
    .digest('hex')
    .slice(0, 12);
  const reference = `sluice-test/node:${tag}`;
  if (await hasImage(reference)) return reference;
  const root = await mkdtemp(join(tmpdir(), 'sluice-image-'));
  try {
    await fill(root, node);
    const changes = ['ENV PATH=/bin', 'WORKDIR /app'].join('\n');
    const stream = await docker.importImage(tarOf(root), { repo: 'sluice-test/node', tag, changes });
    await finished(stream);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  return reference;
}

async function hasImage(reference: string): Promise<boolean> {
  return docker
    .getImage(reference)
    .inspect()
    .then(
      () => true,
      () => false,
    );
}

/** The program, the libraries that it is linked with, and the few files that programs look for. */
async function fill(root: string, node: string): Promise<void> {
  for (const folder of ['bin', 'etc', 'tmp', 'app']) await mkdir(join(root, folder), { recursive: true });
  await copyFile(node, join(root, 'bin', 'node'));
  await writeFile(
    join(root, 'etc', 'passwd'),
    'root:x:0:0:root:/:/bin/node\nnobody:x:65534:65534:nobody:/:/bin/node\n',
  );
  await writeFile(join(root, 'etc', 'group'), 'root:x:0:\nnogroup:x:65534:\n');
  await addLibraries(root, node);
}

/** Puts the libraries of a program where it looks for them. */
export async function addLibraries(root: string, program: string): Promise<void> {
  const { stdout } = await run('ldd', [program]);
  const libraries = [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map(([, path = '']) => path);
  for (const library of libraries) {
    const target = join(root, library);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(await realpath(library), target);
  }
  await symlink('usr/lib', join(root, 'lib')).catch(() => undefined);
}

/** An image of a Dockerfile and files beside it; resolves with the engine's id of it. */
export async function buildImage(reference: string, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sluice-image-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), text);
    }
    await finished(await docker.buildImage(tarOf(root), { t: reference, forcerm: true }));
    return (await docker.getImage(reference).inspect()).Id;
  } finally {
    await rm(root, { recursive: true, force: true });
  }
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
export async function removeLabelled(label: string): Promise<void> {
  const filters = { label: [label] };
  for (const { Id } of await docker.listContainers({ all: true, filters }))
    await docker
      .getContainer(Id)
      .remove({ force: true, v: true })
      .catch(() => undefined);
  for (const { Id } of await docker.listNetworks({ filters }))
    await docker
      .getNetwork(Id)
      .remove()
      .catch(() => undefined);
}
