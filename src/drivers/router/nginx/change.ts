// Changes the include of a scope: written and tested before NGINX is told, proved by asking, and taken back when refused.

import { access, copyFile, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

import { syncDirectory, writeDurably } from '../../../base/durable-file.ts';
import { Failure } from '../../../base/failure.ts';
import type { Log } from '../../../base/log.ts';
import { diskFailure, isCode } from '../../../base/system-error.ts';
import type { NginxRouterSpec } from '../../../core/plan/spec.ts';
import type { Clock } from '../../../ports/clock.ts';
import { type Answer, askGeneration, askTotals, unreachable } from './ask.ts';
import { ErrorLog } from './error-log.ts';
import type { Files } from './files.ts';
import type { Model } from './model.ts';
import { workersOf } from './processes.ts';
import { pidIn, type Program, refused } from './program.ts';

export interface ChangeTools {
  readonly spec: NginxRouterSpec;
  readonly files: Files;
  readonly program: Program;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the running NGINX keeps its pid and its errors, where that is known. */
  readonly pidFile: string | undefined;
  readonly errorLog: string | undefined;
}

/** Connections are asked to close for at most this long before a reload. */
const closeMs = 1_000;
/** How long NGINX may take to read a configuration. */
const reloadMs = 15_000;
export const askEveryMs = 20;
/** Between starting new workers and telling the old ones to go NGINX waits 100 ms; in that time both take connections. */
export const bothServeMs = 300;

export interface IncludeChange {
  readonly text: string;
  readonly model: Model;
  /** What NGINX serves by now. */
  readonly former: Model | undefined;
  /** Asked right before the write: whether the change still starts from what lies there. */
  readonly isCurrent: () => Promise<boolean>;
}

/**
 * Puts the text in place; false: nothing was done, because something else lies there by now. Rejects with `router.refused` or
 * `router.unreachable`.
 */
export async function changeInclude(
  tools: ChangeTools,
  { text, model, former, isCurrent }: IncludeChange,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { files, program } = tools;
  if (!(await isCurrent())) return false;
  await keepFormer(files);
  // Not readable by everybody: it holds the words by which the feed knows its lines.
  await writeInclude(files, text, 0o640);
  await orTakenBack(files, text, async () => {
    await program.test();
    await reloadTo(tools, model, former, signal);
  });
  return true;
}

export async function writeInclude({ include }: Files, text: string, mode: number): Promise<void> {
  try {
    await writeDurably(include, text, mode);
  } catch (error) {
    throw diskFailure(error, include);
  }
}

/** What has NGINX take the text; when it refuses, the file is as it was before. */
export async function orTakenBack(files: Files, text: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (error instanceof Failure && error.code === 'router.refused') await putBack(files, text);
    throw error;
  }
}

export async function keepFormer({ include, former: kept }: Files): Promise<void> {
  try {
    await copyFile(include, kept);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw diskFailure(error, kept);
    await rm(kept, { force: true });
  }
}

/**
 * The file as it was, or none where there was none: NGINX must be able to start with what lies there. What another controller put
 * there meanwhile is its own to take back.
 */
async function putBack({ include, former: kept }: Files, text: string): Promise<void> {
  if ((await readFile(include, 'utf8').catch(() => '')) !== text) return;
  try {
    await access(kept);
    await rename(kept, include);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw diskFailure(error, include);
    await rm(include, { force: true });
  }
  await syncDirectory(dirname(include));
}

/** Resolves when every worker that takes connections serves by this model. */
export async function reloadTo(
  tools: ChangeTools,
  model: Model,
  former: Model | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { spec, log, program } = tools;
  log.write('info', 'reloading NGINX', { include: spec.include, generation: model.generation });
  let last: Answer | Failure | undefined;
  const goal: Goal = {
    tell: async () => {
      await program.reload();
      return true;
    },
    isReached: async () => {
      last = await asked(spec, model.askToken);
      return last !== undefined && !(last instanceof Failure) && last.generation === model.generation;
    },
    missed: () => notTaken(tools, last),
  };
  await reload(tools, goal, former, signal);
}

/** What a reload is for. */
export interface Goal {
  /** Has NGINX reload; false: nobody is there to be told, and that is as well. */
  readonly tell: () => Promise<boolean>;
  /** Asked again and again when NGINX was told. */
  readonly isReached: () => Promise<boolean>;
  /** Why it was not reached when it was asked last. */
  readonly missed: () => Failure;
}

/** Resolves when the goal is reached, and no worker takes connections that did so before. */
export async function reload(
  tools: ChangeTools,
  goal: Goal,
  former: Model | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { files } = tools;
  if (former !== undefined) await askToClose(tools, former, signal);
  let told = false;
  try {
    const before = (await workers(tools)) ?? [];
    const errors = new ErrorLog(tools.errorLog);
    await errors.begin();
    if (!(await goal.tell())) return;
    told = true;
    await proved(tools, goal, { errors, workers: new Set(before.map(({ pid }) => pid)) }, signal);
  } catch (error) {
    // Nobody waits for the end of this reload, but its former workers are going, and what they kept alive would break.
    const going = told && signal?.aborted === true;
    if (former !== undefined && !going) await files.setClosing(former.generation, false);
    throw error;
  }
}

/** A reload breaks kept-alive connections that a client is just about to use, so they are closed in good order before. */
async function askToClose(tools: ChangeTools, former: Model, signal: AbortSignal | undefined): Promise<void> {
  const { spec, files, clock } = tools;
  await files.setClosing(former.generation, true);
  const until = clock.now() + closeMs;
  while (clock.now() < until) {
    signal?.throwIfAborted();
    // Where it does not answer, or not by that model, there is nothing to be asked of it.
    const totals = await askTotals(spec, former.askToken).catch(() => undefined);
    if (totals === undefined || totals.idle === 0) return;
    await clock.sleep(askEveryMs, signal);
  }
}

async function workers({ pidFile }: ChangeTools): ReturnType<typeof workersOf> {
  const master = pidFile === undefined ? undefined : await pidIn(pidFile);
  return master === undefined ? undefined : workersOf(master);
}

/** What was there before NGINX was told. */
interface Former {
  readonly errors: ErrorLog;
  readonly workers: ReadonlySet<number>;
}

/** Asks until the goal is reached by all workers, and the old ones are seen to go where they can be seen. */
async function proved(tools: ChangeTools, goal: Goal, former: Former, signal: AbortSignal | undefined): Promise<void> {
  const { clock } = tools;
  const until = clock.now() + reloadMs;
  let since: number | undefined;
  for (;;) {
    signal?.throwIfAborted();
    const reached = await goal.isReached();
    since = reached ? (since ?? clock.now()) : undefined;
    if (since !== undefined && (await formerAreGoing(tools, former.workers, clock.now() - since))) return;
    const words = reached ? '' : await former.errors.words();
    if (words !== '') throw refused(words, 'NGINX did not take the new configuration.');
    if (clock.now() > until) throw goal.missed();
    await clock.sleep(askEveryMs, signal);
  }
}

async function formerAreGoing(
  tools: ChangeTools,
  former: ReadonlySet<number>,
  answeredForMs: number,
): Promise<boolean> {
  const seen = former.size === 0 ? undefined : await workers(tools);
  if (seen === undefined) return answeredForMs >= bothServeMs;
  return seen.every(({ pid, going }) => going || !former.has(pid));
}

async function asked(spec: NginxRouterSpec, token: string): Promise<Answer | Failure | undefined> {
  try {
    return await askGeneration(spec, token);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

function notTaken(tools: ChangeTools, last: Answer | Failure | undefined): Failure {
  if (last instanceof Failure) return last;
  if (last === undefined) return elsewhere(tools.spec);
  return goesOn(tools.spec);
}

export function goesOn(spec: NginxRouterSpec): Failure {
  return unreachable(spec, 'it goes on serving by its former configuration; its error log may say why');
}

/** Something answers, but not by our include. */
export function elsewhere(spec: NginxRouterSpec): Failure {
  return new Failure(
    'router.refused',
    `Another server than the one of ${spec.include} answers at the address of the service.`,
    {
      at: 'router.nginx.listen',
      remedy: 'Listen on another port, or tell the two apart by `router.nginx.serverName`.',
    },
  );
}
