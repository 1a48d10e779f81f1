// Requests as fast as they are answered, over a number of keep-alive connections: by wrk where it is installed, else by a client of our own.

import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers other than 200, and connections that broke. */
  readonly failed: number;
}

interface LoadOrder {
  readonly port: number;
  readonly connections: number;
  readonly seconds: number;
}

export type Load = (order: LoadOrder) => Promise<LoadResult>;

/** The path that all loads ask for. */
const smallPath = '/small';

/** The generator of this machine and its name. */
export async function findLoad(): Promise<{ readonly name: string; readonly load: Load }> {
  const found = await run('wrk', ['--version']).then(
    () => true,
    // It prints its version and usage, and exits with 1.
    (error: unknown) => String((error as { stdout?: string }).stdout).includes('wrk'),
  );
  if (found) return { name: 'wrk, 1 thread', load: wrk };
  return { name: 'our own client in one Node process (Debian has the faster wrk: apt-get install wrk)', load: own };
}

const wrk: Load = async ({ port, connections, seconds }) => {
  const url = `http://127.0.0.1:${port}${smallPath}`;
  const { stdout } = await run('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', url]);
  return {
    requestsPerSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1] ?? Number.NaN),
    p50Ms: milliseconds(/^\s+50%\s+(\S+)/m.exec(stdout)?.[1]),
    p99Ms: milliseconds(/^\s+99%\s+(\S+)/m.exec(stdout)?.[1]),
    failed: failures(stdout),
  };
};

function failures(stdout: string): number {
  const bad = Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0);
  const broken = /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/.exec(stdout)?.slice(1) ?? [];
  return broken.map(Number).reduce((sum, errors) => sum + errors, bad);
}

/** wrk writes `812.00us`, `3.41ms` or `1.20s`. */
function milliseconds(text: string | undefined): number {
  const [, amount = 'NaN', unit = 'ms'] = /^([\d.]+)(us|ms|s)$/.exec(text ?? '') ?? [];
  return Number(amount) * ({ us: 0.001, ms: 1, s: 1000 }[unit] ?? 1);
}

const own: Load = async ({ port, connections, seconds }) => {
  const program = fileURLToPath(new URL('own-load.ts', import.meta.url));
  const { stdout } = await run(process.execPath, [
    program,
    String(port),
    String(connections),
    String(seconds),
    smallPath,
  ]);
  return JSON.parse(stdout) as LoadResult;
};
