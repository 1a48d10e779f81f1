// Finds the program of a release and says clearly why it cannot be run.

import { constants } from 'node:fs';
import { access, open, realpath, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve, sep } from 'node:path';
import { Failure } from '../../../base/failure.ts';
import { isCode } from '../../../base/system-error.ts';

/**
 * The absolute path of a program. A name with a slash is looked for in the release only, a bare name in the release and then
 * on `path`. Rejects with `instance.command`.
 */
export async function findProgram(program: string, directory: string, path: string): Promise<string> {
  const bare = !program.includes('/');
  const places = bare ? [directory, ...path.split(delimiter).filter((place) => place !== '')] : [directory];
  for (const place of isAbsolute(program) ? [''] : places) {
    const candidate = place === '' ? program : join(place, program);
    const problem = await whyNotRunnable(candidate);
    if (problem === undefined) return candidate;
    // A bare name may also be a folder or a data file of the release; a path means exactly this file.
    if (!bare) throw notRunnable(program, problem);
  }
  throw notRunnable(program, 'is neither in the release nor on PATH');
}

async function whyNotRunnable(path: string): Promise<string | undefined> {
  try {
    if (!(await stat(path)).isFile()) return 'is not a file';
    await access(path, constants.X_OK);
  } catch (error) {
    if (isCode(error, 'EACCES')) return 'is not executable';
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return 'does not exist';
    return `cannot be read (${String(error)})`;
  }
  return missingInterpreter(path);
}

/** A script whose `#!` names a program that does not exist fails with a bewildering "no such file" for the script itself. */
async function missingInterpreter(path: string): Promise<string | undefined> {
  const first = await firstBytes(path);
  const interpreter = /^#!\s*(\S+)/.exec(first)?.[1];
  if (interpreter === undefined || !isAbsolute(interpreter)) return undefined;
  const found = await access(interpreter, constants.X_OK).then(
    () => true,
    () => false,
  );
  return found ? undefined : `needs the interpreter ${interpreter}, which does not exist`;
}

async function firstBytes(path: string): Promise<string> {
  // A program may be executable without being readable; then there is nothing to see.
  const file = await open(path, 'r').catch(() => undefined);
  if (file === undefined) return '';
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0);
    return buffer.toString('latin1', 0, bytesRead);
  } finally {
    await file.close();
  }
}

/** The absolute working directory, links followed. Rejects with `release.gone`, or `instance.command` when it is not inside. */
export async function findWorkingDirectory(directory: string, relative: string): Promise<string> {
  const root = await realpath(directory).catch((error: unknown) => {
    throw new Failure('release.gone', 'The files of the release are not in the release store.', {
      at: directory,
      remedy: 'Deploy it again from its source.',
      cause: error,
    });
  });
  const path = await realpath(resolve(root, relative)).catch(() => undefined);
  if (path !== undefined && (path === root || path.startsWith(root + sep)) && (await stat(path)).isDirectory())
    return path;
  throw new Failure('instance.command', `The working directory ${relative} is not a directory inside the release.`, {
    at: 'release.workingDirectory',
    remedy: 'Name a directory of the release, relative to its root.',
  });
}

export function notRunnable(program: string, problem: string, cause?: unknown): Failure {
  return new Failure('instance.command', `The program ${program} ${problem}.`, {
    at: 'release.command',
    remedy: 'Correct `release.command`: a program of the release (with its path) or one on PATH, executable.',
    cause,
  });
}
