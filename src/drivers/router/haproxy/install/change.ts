// What every change that only a reload brings into force has in common: what comes before it, the proof behind it, and the way back.

import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Failure } from '../../../../base/failure.ts';
import type { HaproxyRouterSpec } from '../../../../core/plan/spec.ts';
import type { Scope } from '../../../../core/scope.ts';
import type { Clock } from '../../../../ports/clock.ts';
import { closingLine, decidingKey, headOf } from '../config/record.ts';
import { openSession, type RuntimeSession } from '../runtime/session.ts';
import { isLeaving, openConnections, readMaps, readRunning, type RunningState } from '../runtime/state.ts';
import { LiveMap } from '../runtime/switch.ts';
import type { Loader } from './loader.ts';
import { askToReload, reloadRefused } from './reload.ts';

export interface Installation {
  readonly spec: HaproxyRouterSpec;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly loader: Loader;
  /** The process that answers the Runtime API. */
  readonly worker: number;
  readonly signal?: AbortSignal | undefined;
}

export interface FileChange {
  readonly make: () => Promise<void>;
  readonly takeBack: () => Promise<void>;
  /** Whether a process with this state has loaded the change; undefined: it has loaded nothing of the scope. */
  readonly isLoaded: (state: RunningState | undefined) => boolean;
}

/** For processes to change places. */
export const reloadMs = 15_000;
/** A master that is just starting, or reloading for somebody else, may miss that it was asked; to ask twice does no harm. */
const askAgainMs = 5_000;
export const pollMs = 20;
const answerMs = 2_000;
const closeMs = 3_000;

/** Rejects with `router.refused` when HAProxy does not load the change; then the files are as they were. */
export async function reloadTo(installation: Installation, session: RuntimeSession, change: FileChange): Promise<void> {
  const { spec, worker, signal } = installation;
  try {
    await askToClose(installation, session);
    await change.make();
    await askToReload(spec.reload, worker, signal);
    await loaded(installation, change);
  } catch (error) {
    await change.takeBack();
    // Where that does not work either, the mark stays, and whoever comes next does it.
    await goOn(installation).catch(() => undefined);
    throw error;
  }
  await rm(closingMark(spec.directory), { force: true });
}

/** Lies there while clients are asked to close: who finds it under the lock knows that the one who asked was killed. */
function closingMark(directory: string): string {
  return join(directory, '.sluice.closing');
}

export function isClosingForgotten(directory: string): boolean {
  return existsSync(closingMark(directory));
}

/**
 * Takes back what a killed controller asked of the clients of all scopes; otherwise they would be asked for ever. `session`:
 * undefined where no HAProxy runs that could ask.
 */
export async function endForgottenClosing(
  session: RuntimeSession | undefined,
  own: string,
  seenAs: string,
): Promise<void> {
  if (!isClosingForgotten(own)) return;
  if (session !== undefined) await putClosing(session, seenAs, false);
  await rm(closingMark(own), { force: true });
}

/**
 * From now on every answer asks the client to close its connection, so that the reload meets few that are open: the process that
 * leaves closes those that are idle, of all scopes.
 */
async function askToClose({ spec, loader, clock, signal }: Installation, session: RuntimeSession): Promise<void> {
  await writeFile(closingMark(spec.directory), '');
  await putClosing(session, loader.directory, true);
  for (let waited = 0; waited < closeMs; waited += 100) {
    if ((await openConnections(session)) === 0) return;
    await clock.sleep(100, signal);
    signal?.throwIfAborted();
  }
}

/** Clients may keep their connections again. That is said to whoever answers now, even where the change was given up. */
async function goOn({ spec, loader }: Installation): Promise<void> {
  const took = await answering(spec, undefined, async (session) => {
    await putClosing(session, loader.directory, false);
    return true;
  });
  if (took === true) await rm(closingMark(spec.directory), { force: true });
}

/** `directory`: as HAProxy sees it. */
async function putClosing(session: RuntimeSession, directory: string, closing: boolean): Promise<void> {
  for (const map of await readMaps(session, directory)) {
    const line = map.entries.get(decidingKey);
    if (line !== undefined && headOf(line) !== undefined)
      await new LiveMap(session, map).put([[decidingKey, closingLine(line, closing)]]);
  }
}

/** Asks until the answers come from a process that has loaded the change. */
async function loaded(installation: Installation, { isLoaded }: FileChange): Promise<void> {
  const { spec, scope, clock, worker, signal } = installation;
  const isOld = 'it goes on with the configuration that it had';
  let seen = 'it does not answer any more';
  for (let waited = 0; waited < reloadMs; waited += pollMs) {
    const isThere = await answering(
      spec,
      signal,
      async (session) => !(await isLeaving(session)) && isLoaded(await readRunning(session, scope)),
    );
    if (isThere === true) return;
    if (isThere === false) seen = isOld;
    // Where that cannot be done any more, the end of the wait tells what is wrong.
    if (waited === askAgainMs && seen === isOld) await askToReload(spec.reload, worker, signal).catch(() => undefined);
    await clock.sleep(pollMs, signal);
    signal?.throwIfAborted();
  }
  throw reloadRefused(`${seen} ${reloadMs / 1000} s after it was asked to reload.`);
}

async function answering<T>(
  { socket }: HaproxyRouterSpec,
  signal: AbortSignal | undefined,
  act: (session: RuntimeSession) => Promise<T>,
): Promise<T | undefined> {
  let session: RuntimeSession | undefined;
  try {
    session = openSession(socket, { timeoutMs: answerMs, signal });
    return await act(session);
  } catch (error) {
    // While processes change places there may be nobody for a moment.
    if (error instanceof Failure && error.code === 'router.unreachable') return undefined;
    throw error;
  } finally {
    session?.close();
  }
}
