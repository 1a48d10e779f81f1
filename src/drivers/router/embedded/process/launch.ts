// Starts the proxy program as a process of its own, which outlives the one that started it.

import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';

import { Failure, failureFrom } from '../../../../base/failure.ts';
import { ownProgram } from '../../../../base/own-files.ts';
import { diskFailure } from '../../../../base/system-error.ts';
import type { EmbeddedRouterSpec } from '../../../../core/plan/spec.ts';
import type { Scope } from '../../../../core/scope.ts';
import { reportSchema, type StartOrder, type StartReport } from '../control/schema.ts';
import { turnOver } from './proxy-log.ts';
import { assertOwnSocketDirectory, type ScopeDirectory, shortSocketDirectory } from './scope-directory.ts';

const reportMs = 15_000;
/** See the body writer for `--expose-gc`. A small young generation stays in the processor's cache, and saves some 40 MiB. */
const nodeOptions = ['--disable-warning=ExperimentalWarning', '--expose-gc', '--max-semi-space-size=4'];

export interface LaunchOrder {
  readonly scope: Scope;
  readonly files: ScopeDirectory;
  /** Undefined: those it had last. */
  readonly settings: EmbeddedRouterSpec | undefined;
}

/**
 * Resolves when the proxy serves (`ready`), or when another one does or is about to (`running`). Rejects with `port.taken`,
 * `router.refused`, `router.certificate`, `disk.full` …; then nothing runs and nothing is left.
 */
export async function launchProxy({ scope, files, settings }: LaunchOrder): Promise<'ready' | 'running'> {
  const { directory, socket } = files;
  const order: StartOrder = { directory, socket, scope, settings };
  const log = prepare(files);
  try {
    const report = await start(order, log);
    if (report === undefined) throw silentEnd(files);
    if (report.kind === 'failed') throw failureFrom(report.failure);
    return report.kind;
  } finally {
    closeSync(log);
  }
}

/** Makes the directories and opens the log that catches what Node itself says. */
function prepare(files: ScopeDirectory): number {
  try {
    mkdirSync(files.directory, { recursive: true, mode: 0o700 });
    if (dirname(files.socket) !== files.directory) ownShortDirectory();
    turnOver(files.log);
    return openSync(files.log, 'a', 0o600);
  } catch (error) {
    throw diskFailure(error, files.directory);
  }
}

function ownShortDirectory(): void {
  mkdirSync(shortSocketDirectory(), { recursive: true, mode: 0o700 });
  assertOwnSocketDirectory();
}

function start(order: StartOrder, log: number): Promise<StartReport | undefined> {
  const child = spawn(
    process.execPath,
    [...nodeOptions, ownProgram('drivers/router/embedded/proxy-main'), JSON.stringify(order)],
    {
      // No directory is held, and nothing of the controller's environment, secrets above all, reaches the proxy.
      cwd: '/',
      env: { PATH: process.env['PATH'], TZ: process.env['TZ'] },
      detached: true,
      stdio: ['ignore', log, log, 'pipe'],
    },
  );
  child.unref();
  return new Promise((resolve, reject) => {
    const pipe = child.stdio[3];
    let text = '';
    const timer = setTimeout(() => pipe?.destroy(), reportMs);
    child.once('error', (error) => reject(diskFailure(error, process.execPath)));
    pipe?.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
    });
    pipe?.once('error', () => undefined);
    pipe?.once('close', () => {
      clearTimeout(timer);
      resolve(parseReport(text));
    });
  });
}

function parseReport(text: string): StartReport | undefined {
  const [line = ''] = text.split('\n');
  try {
    return reportSchema.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function silentEnd(files: ScopeDirectory): Failure {
  return new Failure('router.unreachable', 'The built-in proxy ended, or hung, while it was starting.', {
    at: files.log,
    remedy: `Read the end of ${files.log}.`,
  });
}
