// The program that tests start: the package as it is built, where the test run has made one, or else the sources.

import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../', import.meta.url));

/** How the test run tells its test files where the package is. */
const variable = 'SLUICE_TEST_PACKAGE';

/** `sluice`, to be started with this Node. */
export const programPath = inPackage('dist/main.js') ?? join(root, 'src/main.ts');

/** A program of the tests, by its path in the repository without extension; it is in the package too. */
export function testProgram(name: string): string {
  return inPackage(`dist/tests/${name.split('/').at(-1) ?? ''}.js`) ?? join(root, `${name}.ts`);
}

function inPackage(path: string): string | undefined {
  const directory = process.env[variable];
  return directory === undefined ? undefined : join(directory, path);
}

/** Builds the package below `directory` as `npm run build` does, with programs of the tests beside it; its directory. */
export async function buildPackage(directory: string, testPrograms: readonly string[] = []): Promise<string> {
  const target = join(directory, 'package');
  await mkdir(target);
  await copyFile(join(root, 'package.json'), join(target, 'package.json'));
  await symlink(join(root, 'node_modules'), join(target, 'node_modules'));
  const build = [join(root, 'scripts', 'build.ts'), join(target, 'dist'), ...testPrograms];
  await run(process.execPath, build).catch((error: unknown) => {
    throw new Error(`the package cannot be built: ${String((error as { stderr?: string }).stderr ?? error)}`);
  });
  return target;
}

/** From now on tests start the built package, which takes half the time; resolves with what removes it. */
export async function useBuiltPackage(testPrograms: readonly string[]): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-built-'));
  process.env[variable] = await buildPackage(directory, testPrograms);
  return async () => {
    delete process.env[variable];
    await rm(directory, { recursive: true, force: true });
  };
}
