// Asks git, with argument lists, bounded in time and output, and without pagers, outside diffs, hooks and file monitors.

import { execFile } from 'node:child_process';

const longestMs = 20_000;
const mostBytes = 64 * 1024 * 1024;

export type GitAnswer =
  | { readonly kind: 'answer'; readonly text: string }
  | { readonly kind: 'refused'; readonly why: string };

/** What git printed, or why there is no answer: it is not installed, this is no repository, or it takes too long. */
export async function git(directory: string, ...args: readonly string[]): Promise<GitAnswer> {
  const settings = ['-c', 'core.fsmonitor=false', '-c', 'core.quotePath=false', '-c', 'core.hooksPath=/dev/null'];
  return new Promise((resolve) => {
    execFile(
      'git',
      [...settings, ...args],
      { cwd: directory, env: environment(), timeout: longestMs, maxBuffer: mostBytes, windowsHide: true },
      (error, stdout, stderr) => {
        if (error === null) resolve({ kind: 'answer', text: stdout });
        else resolve({ kind: 'refused', why: reasonOf(error, stderr) });
      },
    );
  });
}

function reasonOf(error: Error & { readonly code?: unknown; readonly killed?: boolean }, stderr: string): string {
  if (error.code === 'ENOENT') return 'git is not installed, or the directory is not there';
  if (error.code === 'ERR_CHILD_PROCESS_STDIO_MAXBUFFER') return `git answered with more than ${mostBytes} bytes`;
  if (error.killed === true) return `git took longer than ${longestMs / 1000} s`;
  const [line = ''] = stderr.trim().split('\n');
  return line === '' ? 'git gave no answer' : line.replace(/^fatal: /, '').slice(0, 300);
}

/** What points git elsewhere, or makes it ask or start something, is left out. */
function environment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'));
  return {
    ...Object.fromEntries(kept),
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_PAGER: 'cat',
    LC_ALL: 'C',
  };
}
