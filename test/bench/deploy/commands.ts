// Times the command line as it is installed: a package built into a directory of its own.

import { execFile } from 'node:child_process';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../', import.meta.url));

/** Builds the package below `directory` as `npm run build` does; the path of its program. */
export async function buildPackage(directory: string): Promise<string> {
  const target = join(directory, 'package');
  await mkdir(target);
  await copyFile(join(root, 'package.json'), join(target, 'package.json'));
  await symlink(join(root, 'node_modules'), join(target, 'node_modules'));
  const build = [join(root, 'scripts', 'build.ts'), join(target, 'dist')];
  await run(process.execPath, build).catch((error: unknown) => {
    throw new Error(`the package cannot be built: ${String((error as { stderr?: string }).stderr ?? error)}`);
  });
  return join(target, 'dist', 'main.js');
}

/** The median of `calls` calls in milliseconds, after one that fills the caches. */
export async function timeCommand(args: readonly string[], calls: number): Promise<number> {
  await run(process.execPath, args);
  const times: number[] = [];
  for (let call = 0; call < calls; call++) {
    const began = performance.now();
    await run(process.execPath, args);
    times.push(performance.now() - began);
  }
  return medianOf(times);
}

export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}
