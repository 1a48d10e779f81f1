// Asks HAProxy to load its configuration anew: by a signal to its master, by Docker, or by the user's command.

import { readFile } from 'node:fs/promises';

import { Failure } from '../../../../base/failure.ts';
import { isCode } from '../../../../base/system-error.ts';
import type { HaproxyRouterSpec } from '../../../../core/plan/spec.ts';
import { runCommand } from './run-command.ts';

type Reload = HaproxyRouterSpec['reload'];

/** Resolves when HAProxy was asked; whether it did so only its answers show. */
export async function askToReload(reload: Reload, worker: number | undefined, signal?: AbortSignal): Promise<void> {
  if (reload.kind === 'pidFile') return signalMaster(reload.path, worker, 'SIGUSR2');
  const command =
    reload.kind === 'container' ? ['docker', 'kill', '--signal', 'HUP', reload.container] : reload.command;
  const ran = await runCommand(command, { signal });
  if (!ran.ok) throw reloadRefused(`\`${command.join(' ')}\` failed: ${ran.words || 'it said nothing'}`);
}

/** Rejects with what would keep a reload from being asked for. `worker`: the process that answers the Runtime API, where its pid is known. */
export async function checkReload(reload: Reload, worker: number | undefined): Promise<void> {
  if (reload.kind === 'pidFile') await signalMaster(reload.path, worker, 0);
}

export function reloadRefused(why: string): Failure {
  return new Failure('router.refused', `HAProxy was not reloaded: ${why}`, {
    at: 'router.haproxy.reload',
    remedy: 'Traffic goes on as it was. Look at HAProxy’s log, correct what it says, and try again.',
  });
}

async function signalMaster(path: string, worker: number | undefined, signal: 'SIGUSR2' | 0): Promise<void> {
  const master = await readPid(path);
  // To a process that is no master the signal means its end.
  if (worker !== undefined && (await parentOf(worker)) !== master) {
    throw new Failure(
      'router.setup',
      `The process ${master} in ${path} is not the master of the HAProxy that answers (${worker}).`,
      {
        at: 'router.haproxy.reload.pidFile',
        remedy:
          'Start HAProxy in master-worker mode with this file: `haproxy -W -p <file> …` (`-Ws` under systemd), or give another way to reload it.',
      },
    );
  }
  try {
    process.kill(master, signal);
  } catch (error) {
    if (!isCode(error, 'EPERM', 'ESRCH')) throw error;
    const allowed = isCode(error, 'ESRCH');
    throw new Failure(
      allowed ? 'router.unreachable' : 'router.access',
      allowed
        ? `There is no process ${master}, which ${path} names.`
        : `This user may not send a signal to HAProxy’s master ${master}.`,
      {
        at: 'router.haproxy.reload.pidFile',
        remedy: allowed
          ? 'Start HAProxy.'
          : 'Run Sluice as the user of HAProxy’s master, or give a command as `reload: { command: … }` that may.',
        cause: error,
      },
    );
  }
}

async function readPid(path: string): Promise<number> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Failure(
      'router.setup',
      `The file with HAProxy’s process id cannot be read: ${error instanceof Error ? error.message : String(error)}.`,
      {
        at: path,
        remedy: 'Start HAProxy with `-p <file>`, and write that file as `reload: { pidFile: … }`.',
        cause: error,
      },
    );
  });
  const pid = Number(text.trim().split('\n')[0]);
  if (Number.isInteger(pid) && pid > 1) return pid;
  throw new Failure('router.setup', `The file holds ${JSON.stringify(text.slice(0, 40))} and no process id.`, {
    at: path,
    remedy: 'Start HAProxy with `-p <file>`, and write that file as `reload: { pidFile: … }`.',
  });
}

/** Undefined where it is not a process of this machine. */
async function parentOf(pid: number): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The program's name stands in parentheses and may hold anything.
  const parent = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1]);
  return Number.isInteger(parent) && parent > 0 ? parent : undefined;
}
