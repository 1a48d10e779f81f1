// The context of a real process: its streams, environment, signals and clock.

import { hostname, userInfo } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { packageFile } from '../base/own-files.ts';
import type { CliContext, Composition, SignalName, TextSink } from './context.ts';

export interface ProcessContext extends CliContext {
  /** Resolves when everything that was written has left the process. */
  flush(): Promise<void>;
}

const signals: readonly SignalName[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

export function processContext(composition: Composition): ProcessContext {
  const gone = new AbortController();
  endQuietly(process.stdout, gone);
  endQuietly(process.stderr, gone);
  return {
    argv: process.argv.slice(2),
    environment: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    stdoutGone: gone.signal,
    actor,
    version,
    ...composition,
    now: () => Date.now(),
    sleep: async (durationMs, signal) => {
      await wait(durationMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    },
    zone: (at) => -new Date(at).getTimezoneOffset(),
    onSignal,
    exit: (code) => process.exit(code),
    async flush() {
      await Promise.all([drained(process.stdout), drained(process.stderr)]);
    },
  };
}

/** `head` closed the pipe: nobody is there to read of it, so it is no error; anything else on a stream is one. */
function endQuietly(stream: NodeJS.WriteStream, gone: AbortController): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (stream === process.stdout) gone.abort();
  });
}

function drained(stream: NodeJS.WriteStream & TextSink): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded) resolve();
    else stream.write('', () => resolve());
  });
}

function onSignal(listener: (signal: SignalName) => void): () => void {
  for (const signal of signals) process.on(signal, listener);
  return () => {
    for (const signal of signals) process.off(signal, listener);
  };
}

/** `user@host`; a user without a name in the system has a number. */
function actor(): string {
  const host = hostname();
  try {
    return `${userInfo().username}@${host}`;
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}@${host}`;
  }
}

async function version(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const { version } = JSON.parse(await readFile(packageFile(), 'utf8')) as {
    version: string;
  };
  return version;
}
