// Runs a program in a process group of its own and ends the whole group when its time is over or it writes too much.

import { type ChildProcess, spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

export interface Program {
  readonly command: readonly string[];
  readonly workingDirectory: string;
  /** All that it has. */
  readonly environment: Readonly<Record<string, string>>;
}

export type Ended =
  | { readonly kind: 'not-started'; readonly words: string }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'too-much' }
  | {
      readonly kind: 'ended';
      /** `exit code 3`, `signal SIGSEGV`. */
      readonly how: string;
      readonly output: string;
      /** The end of what it wrote to standard error. */
      readonly errors: string;
    };

const mostOutput = 4096;
const keptErrors = 4096;

/** How long the output of a program that has ended is waited for: something it left behind may hold it open. */
const outputGraceMs = 200;

/** Resolves soon after `signal` aborts, with the whole group ended. */
export async function runProgram(program: Program, signal: AbortSignal): Promise<Ended> {
  const started = await start(program);
  if (!('child' in started)) return started;
  const { child } = started;
  const kill = (): void => killGroup(child);
  if (signal.aborted) kill();
  signal.addEventListener('abort', kill, { once: true });
  const output = keep(child.stdout, (bytes) => bytes > mostOutput && kill());
  const errors = keep(child.stderr, () => undefined);
  try {
    const how = await started.ending;
    await Promise.race([started.closed, wait(outputGraceMs, undefined, { ref: false })]);
    if (output.bytes() > mostOutput) return { kind: 'too-much' };
    if (signal.aborted) return { kind: 'stopped' };
    return { kind: 'ended', how, output: output.text(), errors: errors.text() };
  } finally {
    signal.removeEventListener('abort', kill);
    child.stdout?.destroy();
    child.stderr?.destroy();
  }
}

interface Started {
  readonly child: ChildProcess;
  readonly ending: Promise<string>;
  /** Resolves when both streams have ended. */
  readonly closed: Promise<void>;
}

async function start({ command, workingDirectory, environment }: Program): Promise<Started | Ended> {
  const [file = '', ...parameters] = command;
  if (!(await isDirectory(workingDirectory)))
    return { kind: 'not-started', words: `its working directory ${workingDirectory} is not a directory` };
  let child: ChildProcess;
  try {
    child = spawn(file, parameters, {
      cwd: workingDirectory,
      env: { ...environment },
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  } catch (thrown) {
    // Some mistakes, such as arguments that are too long together, are thrown rather than told by an event.
    return { kind: 'not-started', words: startProblem(thrown, file) };
  }
  const ending = Promise.withResolvers<string>();
  const closed = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<Ended | undefined>();
  child.once('spawn', () => begun.resolve(undefined));
  child.on('error', (error) => begun.resolve({ kind: 'not-started', words: startProblem(error, file) }));
  child.once('exit', (code, name) => ending.resolve(code === null ? `signal ${name}` : `exit code ${code}`));
  child.once('close', () => closed.resolve());
  return (await begun.promise) ?? { child, ending: ending.promise, closed: closed.promise };
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    // Whatever is wrong with it, a program cannot run there.
    return false;
  }
}

function startProblem(error: unknown, file: string): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return `there is no program ${file}`;
  return code === 'EACCES' ? `${file} is not executable` : `${file} cannot be started: ${code ?? String(error)}`;
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

function keep(stream: NodeJS.ReadableStream | null, onMore: (bytes: number) => unknown) {
  let bytes = 0;
  let kept = Buffer.alloc(0);
  stream?.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    kept = Buffer.concat([kept, chunk]).subarray(-keptErrors);
    onMore(bytes);
  });
  return { bytes: () => bytes, text: () => new TextDecoder().decode(kept) };
}
