// Runs a checking program in a process group of its own, and ends the whole group when the time is over.

import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Ended, Program } from '../../../core/validation/asker.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** The end of the output that is kept. */
const keptBytes = 16 * 1024;

/** How long the output of a program that has ended is waited for: something it left behind may hold it open. */
const outputGraceMs = 200;

/** Sluice's own secret is none of the program's business. */
const withheld = new Set(['SLUICE_TOKEN']);

export async function runProgram(program: Program, own: Variables, signal: AbortSignal): Promise<Ended> {
  signal.throwIfAborted();
  const { workingDirectory } = program;
  if (!(await isDirectory(workingDirectory))) {
    return failed(`it cannot be started: its working directory ${workingDirectory} is not a directory`);
  }
  signal.throwIfAborted();
  const [file = '', ...parameters] = program.command;
  const child = start(file, parameters, { cwd: workingDirectory, env: environment(own, program.variables) });
  if (!('process' in child)) return child;
  const output = collect(child.process);
  const onAbort = (): void => killGroup(child.process);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const how = await ending(child.process, file);
    await Promise.race([output.closed, wait(outputGraceMs, undefined, { ref: false })]);
    signal.throwIfAborted();
    return { passed: how === 'exit code 0', how, output: output.text() };
  } finally {
    signal.removeEventListener('abort', onAbort);
    child.process.stdout?.destroy();
    child.process.stderr?.destroy();
  }
}

function failed(how: string): Ended {
  return { passed: false, how, output: '' };
}

/** Some mistakes, such as arguments that are too long together, are thrown rather than told by an event. */
function start(
  file: string,
  parameters: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): { readonly process: ChildProcess } | Ended {
  try {
    return { process: spawn(file, parameters, { ...options, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }) };
  } catch (thrown) {
    return failed(startProblem(thrown, file));
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // Whatever is wrong with it, a program cannot run there.
    return false;
  }
}

function environment(own: Variables, given: Variables): NodeJS.ProcessEnv {
  const inherited = Object.entries(own).filter(([name]) => !withheld.has(name));
  return { ...Object.fromEntries(inherited), ...given };
}

function ending(child: ChildProcess, file: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  child.once('exit', (code, signal) => resolve(code === null ? `signal ${signal}` : `exit code ${code}`));
  child.on('error', (error) => resolve(startProblem(error, file)));
  return promise;
}

function startProblem(error: unknown, file: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `it cannot be started: there is no program ${file}`;
  if (code === 'EACCES') return `it cannot be started: ${file} is not executable`;
  return `it cannot be started: ${code ?? String(error)}`;
}

/** The group exists as long as its leader has not been waited for, so that no other group can have got its number. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown;
  }
}

interface Output {
  /** Resolves when both streams have ended. */
  readonly closed: Promise<void>;
  readonly text: () => string;
}

function collect(child: ChildProcess): Output {
  let kept = Buffer.alloc(0);
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  const take = (chunk: Buffer): void => {
    kept = Buffer.concat([kept, chunk]);
    if (kept.length > keptBytes) kept = kept.subarray(kept.length - keptBytes);
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  child.once('close', () => resolve());
  return { closed, text: () => new TextDecoder().decode(kept) };
}
