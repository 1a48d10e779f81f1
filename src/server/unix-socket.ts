// Takes a path for a unix socket: over a dead server's leftover, never over a living server or somebody's file.

import { chmodSync, linkSync, lstatSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { type Server, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../base/failure.ts';
import { failureCatalogue } from '../base/failure-catalogue.ts';
import { startListening } from './start-listening.ts';

/** How long others that found the same dead socket may take to put theirs in its place; milliseconds. */
const settleMs = 100;

/**
 * Lets the server listen on `path`, with mode 0600 from the first moment, and returns what frees the path again. Rejects with
 * `server.running` when a living server has it and with `server.listen` when it cannot be had.
 */
export async function listenOnPath(server: Server, path: string): Promise<() => void> {
  const temporary = join(dirname(path), `.${process.pid}.${Math.random().toString(36).slice(2, 8)}`);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    await startListening(server, { path: temporary });
    try {
      chmodSync(temporary, 0o600);
      return await take(temporary, path);
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch (error) {
    server.close();
    throw error instanceof Failure ? error : cannotListen(path, error);
  }
}

/**
 * Gives the listening socket its name. A free path is linked, which only one can do. A dead server's path is replaced; of several that
 * do so at once the last one has it, and the others see after a moment that it is no longer theirs.
 */
async function take(temporary: string, path: string): Promise<() => void> {
  const identity = identityOf(temporary);
  const free = (): void => {
    // Another server may have taken the path since.
    if (identityOf(path) === identity) rmSync(path, { force: true });
  };
  for (;;) {
    if (tryLink(temporary, path)) return free;
    const found = await stateOf(path);
    if (found === 'living') throw running(path);
    if (found === 'dead') {
      replace(temporary, path);
      await sleep(settleMs);
      if (identityOf(path) === identity) return free;
    }
  }
}

function tryLink(temporary: string, path: string): boolean {
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** At no moment is there nothing at the path. */
function replace(temporary: string, path: string): void {
  const spare = `${temporary}s`;
  linkSync(temporary, spare);
  renameSync(spare, path);
}

/** Whether somebody accepts connections there. Throws for a file that is no socket. */
async function stateOf(path: string): Promise<'living' | 'dead' | 'gone'> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return 'gone';
  if (!found.isSocket()) throw new Error('there is a file that is no socket');
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const done = (state: 'living' | 'dead' | 'gone'): void => {
      socket.destroy();
      resolve(state);
    };
    socket.once('connect', () => done('living'));
    socket.once('error', (error) => {
      const code = codeOf(error);
      if (code === 'ECONNREFUSED') done('dead');
      else if (code === 'ENOENT') done('gone');
      // The queue of its connections is full: it is busy, not dead.
      else if (code === 'EAGAIN') done('living');
      else reject(error);
    });
  });
}

function identityOf(path: string): string {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status === undefined ? 'none' : `${status.dev}:${status.ino}`;
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
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
