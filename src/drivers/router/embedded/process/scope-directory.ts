// Where the files of a scope's proxy are.

import { createHash } from 'node:crypto';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';

import { Failure } from '../../../../base/failure.ts';
import type { Scope } from '../../../../core/scope.ts';

export interface ScopeDirectory {
  readonly directory: string;
  /** The control socket. */
  readonly socket: string;
  readonly state: string;
  readonly lock: string;
  readonly log: string;
}

/** The system's limit on socket paths is 104 bytes on some systems, 108 on others. */
const socketPathBytesMax = 100;

export function scopeDirectory(stateDirectory: string, scope: Scope): ScopeDirectory {
  const directory = join(stateDirectory, pathPart(scope.service), pathPart(scope.environment));
  return directoryFiles(directory, socketPath(directory));
}

/** The files in a scope's directory; the socket may be elsewhere. */
export function directoryFiles(directory: string, socket: string): ScopeDirectory {
  return {
    directory,
    socket,
    state: join(directory, 'state.json'),
    lock: join(directory, 'lock'),
    log: join(directory, 'proxy.log'),
  };
}

/** A name as one part of a path, reversibly. */
function pathPart(name: string): string {
  return encodeURIComponent(name).replace(/^\./, '%2E');
}

/** The name that stands for one part of a path; undefined for a part that no name has. */
export function nameOfPart(part: string): string | undefined {
  try {
    const name = decodeURIComponent(part);
    return pathPart(name) === part ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Beside the state; where that path is too long for a socket, in a directory of this user under /tmp, named by a digest of it. */
function socketPath(directory: string): string {
  const path = join(directory, 'control.sock');
  if (Buffer.byteLength(path) <= socketPathBytesMax) return path;
  const digest = createHash('sha256').update(directory).digest('hex').slice(0, 24);
  return join(shortSocketDirectory(), `${digest}.sock`);
}

export function shortSocketDirectory(): string {
  return `/tmp/sluice-${process.getuid?.() ?? 'user'}`;
}

/**
 * /tmp belongs to everybody: a directory that somebody else made there could hold a socket of theirs. Throws `disk.failed` for one that
 * is not this user's alone; one that is missing is nobody's.
 */
export function assertOwnSocketDirectory(): void {
  const directory = shortSocketDirectory();
  const found = lstatSync(directory, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o077) === 0) return;
  throw new Failure('disk.failed', `The directory ${directory} belongs to another user or is open to others.`, {
    at: directory,
    remedy: 'Remove it, or use a state directory with a shorter path.',
  });
}
