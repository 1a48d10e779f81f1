// Starts one process that outlives the controller, with its output going to files.

import { spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import { isCode } from '../../../base/system-error.ts';
import { environmentVariables, type Preparation } from './preparation.ts';
import { notRunnable } from './executable.ts';
import type { Placement } from './environment.ts';
import { currentLog } from './log-files.ts';

export interface Launched {
  readonly pid: number;
  /** Resolves when the process ended, with `exit code 3` or `signal SIGSEGV`. */
  readonly exit: Promise<string>;
}

/**
 * Starts the program as the leader of a session and process group of its own: no signal of the controller's terminal reaches it,
 * and the pid names the whole group. Its output goes straight to files opened for appending, so it needs no controller to run,
 * and a file that is cut short while it runs goes on from its beginning. Rejects with `instance.command`.
 */
export async function launch(preparation: Preparation, placement: Placement, logDirectory: string): Promise<Launched> {
  const output = await openLog(currentLog(logDirectory, 'stdout'), preparation);
  try {
    const errors = await openLog(currentLog(logDirectory, 'stderr'), preparation);
    try {
      return await start(preparation, placement, [output.fd, errors.fd]);
    } finally {
      await errors.close();
    }
  } finally {
    await output.close();
  }
}

async function openLog(path: string, { user }: Preparation): Promise<FileHandle> {
  const file = await open(path, 'a', 0o640);
  // Programs that open /dev/stdout anew need the right to write the file itself.
  if (user !== undefined) await file.chown(user.uid, user.gid);
  return file;
}

async function start(
  preparation: Preparation,
  placement: Placement,
  output: readonly [number, number],
): Promise<Launched> {
  try {
    return await spawned(preparation, placement, output);
  } catch (error) {
    throw notRunnable(preparation.name, problem(error, preparation.user?.name), error);
  }
}

async function spawned(
  preparation: Preparation,
  placement: Placement,
  [output, errors]: readonly [number, number],
): Promise<Launched> {
  const { program, args, workingDirectory, user } = preparation;
  const child = spawn(program, args, {
    cwd: workingDirectory,
    env: environmentVariables(preparation, placement),
    detached: true,
    stdio: ['ignore', output, errors],
    ...(user === undefined ? {} : { uid: user.uid, gid: user.gid }),
  });
  const exit = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.once('spawn', resolve);
  child.once('error', reject);
  await promise;
  // The controller may end before its instances.
  child.unref();
  return { pid: child.pid ?? 0, exit };
}

function problem(error: unknown, user: string | undefined): string {
  const as = user === undefined ? '' : ` as user ${user}`;
  if (isCode(error, 'EACCES', 'EPERM')) return `may not be run${as}, or its directory may not be entered`;
  if (isCode(error, 'E2BIG')) return 'cannot be run: its arguments and environment are larger than the system allows';
  return `cannot be run${as}: ${error instanceof Error ? error.message : String(error)}`;
}
