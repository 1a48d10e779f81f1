// The user that instances run as.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { Failure } from '../../../base/failure.ts';
import { isCode } from '../../../base/system-error.ts';

// An import would read all names of the module, and load worker threads and more with them.
const run = process.getBuiltinModule('node:util').promisify(execFile);

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** The user by name or number. Rejects with `plan.unsupported` when the controller is not root, `config.invalid` for nobody. */
export async function findUser(wanted: string): Promise<SystemUser> {
  if (process.getuid?.() !== 0) {
    throw new Failure('plan.unsupported', `Instances cannot run as ${wanted}: only root can change the user.`, {
      at: 'release.user',
      remedy: 'Remove `release.user`, or run Sluice as root.',
    });
  }
  const line = await passwdLine(wanted);
  const user = line === undefined ? undefined : parsePasswd(line);
  if (user !== undefined) return user;
  // Containers often run as a number that has no name.
  if (/^\d{1,9}$/.test(wanted)) return { name: wanted, uid: Number(wanted), gid: Number(wanted), home: '/' };
  throw new Failure('config.invalid', `There is no user ${JSON.stringify(wanted)} on this machine.`, {
    at: 'release.user',
    remedy: 'Create the user, or correct `release.user`.',
  });
}

/** `getent` also knows users of a directory service; where it is missing, the file has to do. */
async function passwdLine(wanted: string): Promise<string | undefined> {
  try {
    return (await run('getent', ['passwd', '--', wanted])).stdout;
  } catch (error) {
    if (!isCode(error, 'ENOENT')) return undefined;
  }
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n');
  return lines.find((line) => line.split(':')[0] === wanted || line.split(':')[2] === wanted);
}

/** `name:password:uid:gid:comment:home:shell`. */
export function parsePasswd(line: string): SystemUser | undefined {
  const [name, , uid, gid, , home] = line.trim().split(':');
  if (name === undefined || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) return undefined;
  return { name, uid: Number(uid), gid: Number(gid), home: home === undefined || home === '' ? '/' : home };
}
