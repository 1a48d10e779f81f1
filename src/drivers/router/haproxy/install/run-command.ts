// Runs a program of HAProxy or of the user's, bounded in time and output.

import { execFile } from 'node:child_process';

import { Failure } from '../../../../base/failure.ts';
import { isCode } from '../../../../base/system-error.ts';

export interface Ran {
  readonly ok: boolean;
  readonly output: string;
  /** The end of what it wrote to both streams, in one line each. */
  readonly words: string;
}

const longestMs = 30_000;
const longestOutput = 4 * 1024 * 1024;
const longestWords = 2_000;

/** Rejects with `router.setup` where it cannot be started at all. */
export function runCommand(
  command: readonly string[],
  options: { cwd?: string | undefined; signal?: AbortSignal | undefined } = {},
): Promise<Ran> {
  const [program = '', ...parameters] = command;
  return new Promise((resolve, reject) => {
    const settings = {
      timeout: longestMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: longestOutput,
      // Sluice's own secret is none of the program's business.
      env: Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== 'SLUICE_TOKEN')),
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    };
    try {
      execFile(program, parameters, settings, (error, stdout, stderr) => {
        if (options.signal?.aborted === true) reject(options.signal.reason);
        else if (isCode(error, 'ENOENT', 'EACCES', 'ENOTDIR')) reject(notStarted(program, error));
        else resolve({ ok: error === null, output: stdout, words: wordsOf(stdout, stderr, error?.killed === true) });
      });
    } catch (error) {
      // Arguments too long together are thrown rather than told.
      reject(notStarted(program, error));
    }
  });
}

function notStarted(program: string, cause: unknown): Failure {
  return new Failure('router.setup', `The program ${program} cannot be started.`, {
    at: 'router.haproxy',
    remedy: 'Install it, or correct `reload` and `check` of the router.',
    cause,
  });
}

function wordsOf(stdout: string, stderr: string, tooLong: boolean): string {
  const text = `${stderr}\n${stdout}`.trim();
  const words = text.length > longestWords ? `…${text.slice(-longestWords)}` : text;
  return tooLong ? `${words}\n(it took longer than ${longestMs / 1000} s and was ended)`.trim() : words;
}
