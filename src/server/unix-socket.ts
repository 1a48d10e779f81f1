// Takes a path for a unix socket: over a dead server's leftover, never over a living server or somebody's file.

import { chmodSync, linkSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { type Server, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { Failure } from '../base/failure.ts';
import { failureCatalogue } from '../base/failure-catalogue.ts';
import { startListening } from './start-listening.ts';

/**
 * Lets the server listen on `path`, with mode 0600 from the first moment, and returns what frees the path again. The socket is made
 * under another name and then linked, so that of two servers which start at once only one gets the path. Rejects with
 * `server.running` when a living server has it and with `server.listen` when it cannot be had.
 */
export async function listenOnPath(server: Server, path: string): Promise<() => void> {
  const temporary = join(dirname(path), `.${process.pid}.${Math.random().toString(36).slice(2, 8)}`);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    await startListening(server, { path: temporary });
    chmodSync(temporary, 0o600);
    const identity = identityOf(temporary);
    while (!tryLink(temporary, path)) await clear(path);
    return () => {
      // Another server may have taken the path since.
      if (identityOf(path) === identity) rmSync(path, { force: true });
    };
  } catch (error) {
    server.close();
    throw error instanceof Failure ? error : cannotListen(path, error);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function tryLink(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a dead server's socket. It is moved aside first: what was moved is looked at again, and put back if it lives after all. */
async function clear(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw cannotListen(path, new Error('there is a file that is no socket'));
  if (await isLiving(path)) throw running(path);
  const aside = `${path}.${process.pid}`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
    throw error;
  }
  try {
    if (!(await isLiving(aside))) return;
    tryLink(aside, path);
    throw running(path);
  } finally {
    rmSync(aside, { force: true });
  }
}

/** Whether somebody accepts connections there. */
function isLiving(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const done = (living: boolean): void => {
      socket.destroy();
      resolve(living);
    };
    socket.once('connect', () => done(true));
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') done(false);
      // The queue of its connections is full: it is busy, not dead.
      else if (error.code === 'EAGAIN') done(true);
      else reject(error);
    });
  });
}

function identityOf(path: string): string {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status === undefined ? 'none' : `${status.dev}:${status.ino}`;
}

function running(path: string): Failure {
  const { remedy } = failureCatalogue['server.running'];
  return new Failure('server.running', `A Sluice server is running and listens on ${path}.`, { at: path, remedy });
}

function cannotListen(path: string, cause: unknown): Failure {
  const words = cause instanceof Error ? cause.message : String(cause);
  const { remedy } = failureCatalogue['server.listen'];
  return new Failure('server.listen', `The server cannot listen on ${path}: ${words}.`, { at: path, remedy, cause });
}
