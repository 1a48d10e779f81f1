// The proxies under a state directory: finds them, starts them again, ends and removes them.

import { existsSync } from 'node:fs';
import { readdir, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { Failure } from '../../../../base/failure.ts';
import { takeFileLock } from '../../../../base/file-lock.ts';
import { isCode } from '../../../../base/system-error.ts';
import type { EmbeddedRouterSpec } from '../../../../core/plan/spec.ts';
import { type Scope, scopeName } from '../../../../core/scope.ts';
import { call, notRunning } from '../control/client.ts';
import { emptySchema, type Hello, helloSchema, type ProxyProcess } from '../control/schema.ts';
import { launchProxy } from './launch.ts';
import { isStillRunning } from './process-identity.ts';
import { nameOfPart, type ScopeDirectory, scopeDirectory } from './scope-directory.ts';
import { readState } from './state-file.ts';

const helloMs = 5_000;
const startMs = 15_000;
const pollMs = 10;
/** On top of the grace, for the process to end by itself. */
const endMs = 3_000;

export interface ProxyInfo {
  readonly scope: Scope;
  readonly settings: EmbeddedRouterSpec;
  /** Undefined when it does not run. */
  readonly pid: number | undefined;
  /** Of its routes; undefined when it was never given any. */
  readonly revision: number | undefined;
}

/** Who answers on the control socket; undefined when nobody does. The answer is the proof that the proxy is ours and runs. */
export async function hello(files: ScopeDirectory): Promise<Hello | undefined> {
  const answer = await call(files.socket, { kind: 'hello' }, helloSchema, { timeoutMs: helloMs });
  return answer === notRunning ? undefined : answer;
}

/**
 * Makes sure that the scope's proxy runs, with its last routes. Any number of callers may do so at once: one proxy comes of it.
 * `settings` undefined: those it had; returns false when it never had any. Rejects as `launchProxy` does.
 */
export async function ensureRunning(
  stateDirectory: string,
  scope: Scope,
  settings?: EmbeddedRouterSpec,
): Promise<boolean> {
  const files = scopeDirectory(stateDirectory, scope);
  if (settings === undefined && (await readState(files.state)) === undefined) return false;
  const until = performance.now() + startMs;
  // One that ends frees its socket before its lock, so `running` may be followed by nobody's answer.
  while (performance.now() < until) {
    if ((await hello(files)) !== undefined) return true;
    if ((await launchProxy({ scope, files, settings })) === 'ready') return true;
    await sleep(pollMs);
  }
  throw new Failure('router.unreachable', `The proxy of ${scopeName(scope)} runs but does not answer.`, {
    at: files.socket,
    remedy: `End the process by hand (its pid is in ${files.state}); its log is ${files.log}.`,
  });
}

/** All proxies that were started under the state directory and not removed; those that run, and those that could be started again. */
export async function listProxies(stateDirectory: string): Promise<readonly ProxyInfo[]> {
  const infos: ProxyInfo[] = [];
  for (const scope of await scopesUnder(stateDirectory)) {
    const info = await infoOf(stateDirectory, scope);
    if (info !== undefined) infos.push(info);
  }
  return infos;
}

async function scopesUnder(stateDirectory: string): Promise<readonly Scope[]> {
  const scopes: Scope[] = [];
  for (const servicePart of await directoriesIn(stateDirectory)) {
    for (const environmentPart of await directoriesIn(join(stateDirectory, servicePart))) {
      const service = nameOfPart(servicePart);
      const environment = nameOfPart(environmentPart);
      if (service !== undefined && environment !== undefined) scopes.push({ service, environment });
    }
  }
  return scopes;
}

/**
 * Ends the scope's proxy: it accepts nothing more and lets requests in flight end within `graceMs`. Its state stays, so that it
 * can be started again. Resolves when the process is gone; one that does not listen any more is ended by force.
 */
export async function stopProxy(stateDirectory: string, scope: Scope, graceMs: number): Promise<void> {
  const files = scopeDirectory(stateDirectory, scope);
  const known = (await knownProcess(files)) ?? (await hello(files))?.process;
  if (known === undefined) return;
  const asked = call(files.socket, { kind: 'stop', graceMs }, emptySchema, { timeoutMs: helloMs });
  const heard = await asked.then(
    (answer) => answer !== notRunning,
    () => false,
  );
  if (heard && (await gone(known, graceMs + endMs))) return;
  if (!(await isStillRunning(known))) return;
  process.kill(known.pid, 'SIGKILL');
  await gone(known, endMs);
}

/**
 * Ends the scope's proxy and removes all it had. Rejects with `router.stale` where another one was started meanwhile, as by a
 * controller that came while this one stood still: without its files nobody could reach it any more.
 */
export async function removeProxy(stateDirectory: string, scope: Scope, graceMs: number): Promise<void> {
  await stopProxy(stateDirectory, scope, graceMs);
  const files = scopeDirectory(stateDirectory, scope);
  if (existsSync(files.directory)) {
    const release = await lockOfTheDead(files.lock);
    if (release === undefined) throw startedAgain(scope, files);
    try {
      await rm(files.socket, { force: true });
      await rm(files.directory, { recursive: true, force: true });
    } finally {
      release();
    }
  }
  await removeEmpty(dirname(files.directory));
  if (dirname(files.socket) !== files.directory) await removeEmpty(dirname(files.socket));
}

/** A process that was ended by force may still be giving back what it had; undefined: it is held by somebody who lives. */
async function lockOfTheDead(path: string): Promise<(() => void) | undefined> {
  const until = performance.now() + endMs;
  for (;;) {
    const release = takeFileLock(path);
    if (release !== undefined || performance.now() > until) return release;
    await sleep(pollMs);
  }
}

function startedAgain(scope: Scope, { directory }: ScopeDirectory): Failure {
  return new Failure('router.stale', `The proxy of ${scopeName(scope)} was started again while it was taken away.`, {
    at: directory,
    remedy: 'Another controller is at work; look with `sluice status`.',
  });
}

/** Leaves a directory in which something of others is. */
async function removeEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    if (!isCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT')) throw error;
  }
}

/** As the proxy itself wrote it down; undefined where it did not, or where that is damaged. */
async function knownProcess(files: ScopeDirectory): Promise<ProxyProcess | undefined> {
  const state = await readState(files.state).catch(() => undefined);
  return state?.process;
}

/** Undefined when it neither runs nor has a state that can be read. */
async function infoOf(stateDirectory: string, scope: Scope): Promise<ProxyInfo | undefined> {
  const files = scopeDirectory(stateDirectory, scope);
  const running = await hello(files).catch(() => undefined);
  const state = await readState(files.state).catch(() => undefined);
  const settings = running?.settings ?? state?.settings;
  if (settings === undefined) return undefined;
  return { scope, settings, pid: running?.process.pid, revision: running?.revision ?? state?.routes?.revision };
}

async function directoriesIn(directory: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Whether the process ended within the time. */
async function gone(known: ProxyProcess, withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (await runs(known)) {
    if (performance.now() > until) return false;
    await sleep(pollMs);
  }
  return true;
}

/** Where the system tells no start time, a pid that answers counts: it has just said itself who it is. */
async function runs(known: ProxyProcess): Promise<boolean> {
  if (known.startTime !== '') return isStillRunning(known);
  try {
    process.kill(known.pid, 0);
    return true;
  } catch {
    return false;
  }
}
