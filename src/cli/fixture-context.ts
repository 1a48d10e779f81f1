// For tests: a context without a process, with a connection that answers what the test says.

import { setTimeout as wait } from 'node:timers/promises';
import { PassThrough } from 'node:stream';
import type { CliContext, Client, Connection, ConnectOptions, ServerHandle, SignalName } from './context.ts';
import { noon } from './fixture-story.ts';
import { run } from './run.ts';

export interface FakeOptions {
  readonly client?: Partial<Client>;
  readonly mode?: Connection['mode'];
  readonly terminal?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What is typed, in answer to questions. */
  readonly typed?: string;
  readonly server?: Partial<ServerHandle>;
  /** Called when the connection is closed. */
  readonly onClose?: (mode: 'leave' | 'settle') => Promise<void> | void;
}

/** What a call left behind. */
export interface Ran {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** How the connection was closed, in order. */
  readonly closed: readonly ('leave' | 'settle')[];
  readonly connected: readonly ConnectOptions[];
  /** Codes of exits that did not wait. */
  readonly exits: readonly number[];
}

export interface FakeRun {
  readonly done: Promise<Ran>;
  signal(name: SignalName): void;
  /** Nobody reads stdout any more. */
  closeStdout(): void;
  /** What was written to stdout and stderr so far. */
  written(): string;
  /** Moves the clock. */
  pass(durationMs: number): void;
  /** Whether somebody heeds signals. */
  listens(): boolean;
}

/** Runs a command line and collects what it does. */
export function start(argv: readonly string[], options: FakeOptions = {}): FakeRun {
  const out = { stdout: '', stderr: '' };
  const closed: ('leave' | 'settle')[] = [];
  const connected: ConnectOptions[] = [];
  const exits: number[] = [];
  const listeners = new Set<(signal: SignalName) => void>();
  const gone = new AbortController();
  let now = noon;
  const isTTY = options.terminal === true;
  const stdin = Object.assign(new PassThrough(), { isTTY });
  stdin.end(options.typed ?? '');
  const sink = (name: 'stdout' | 'stderr') => ({
    isTTY,
    columns: options.columns ?? 80,
    rows: options.rows ?? 40,
    write: (text: string) => (out[name] += text),
  });
  const context: CliContext = {
    argv,
    environment: options.environment ?? {},
    cwd: options.cwd ?? '/nowhere',
    stdin,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    stdoutGone: gone.signal,
    actor: () => 'alice@desk',
    version: async () => '1.2.3',
    connect: async (given) => {
      connected.push(given);
      return {
        client: clientOf(options.client ?? {}),
        mode: options.mode ?? 'server',
        close: async (mode) => {
          closed.push(mode);
          await options.onClose?.(mode);
        },
      };
    },
    startServer: async () => ({
      addresses: ['http://127.0.0.1:7433'],
      ended: Promise.resolve(),
      close: async () => {},
      ...options.server,
    }),
    demo: async () => 0,
    now: () => now,
    // Time in tests goes by as fast as it can, but never without giving others their turn.
    sleep: async (_durationMs, signal) => {
      await wait(2, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    },
    zone: () => 60,
    onSignal(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    exit: (code) => exits.push(code),
  };
  const done = run(context).then((exitCode) => ({ exitCode, ...out, closed, connected, exits }));
  return {
    done,
    signal: (name) => listeners.forEach((listener) => listener(name)),
    closeStdout: () => gone.abort(),
    written: () => out.stdout + out.stderr,
    pass: (durationMs) => (now += durationMs),
    listens: () => listeners.size > 0,
  };
}

export function ran(argv: readonly string[], options: FakeOptions = {}): Promise<Ran> {
  return start(argv, options).done;
}

/** A client that fails the test for every question that it was not prepared for. */
function clientOf(prepared: Partial<Client>): Client {
  return new Proxy(prepared as Client, {
    get(target, name: keyof Client) {
      if (target[name] !== undefined) return target[name];
      throw new Error(`the test did not expect a call of ${name}`);
    },
  });
}

/** Waits until a condition holds, for as long as a busy machine may need. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let attempt = 0; attempt < 5000; attempt += 1) {
    if (condition()) return;
    await wait(2);
  }
  throw new Error(`it never came about: ${what}`);
}
