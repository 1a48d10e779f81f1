// The programs that the demo starts: the real CLI, the real server, and the caretaker that ends what the demo leaves.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import * as z from 'zod';
import { ownProgram } from '../base/own-files.ts';
import type { CaretakerReport } from './caretaker.ts';

export interface ProgramsOptions {
  /** Everything below it is removed at the end. */
  readonly root: string;
  readonly home: string;
  /** Whether what commands print is shown. */
  readonly shown: boolean;
  readonly colour: boolean;
}

export interface RunningServer {
  readonly pid: number;
  /** Its unix socket. */
  readonly socket: string;
  /** As the system's own `kill -9` does; resolves when it is gone. */
  kill(): Promise<void>;
  /** Asks it to end, and insists after a while. */
  end(): Promise<void>;
}

const serverStartMs = 20_000;
const serverEndMs = 10_000;

const mainProgram = ownProgram('main');
const caretakerProgram = ownProgram('demo/caretaker');

export class Programs {
  readonly #options: ProgramsOptions;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #caretaker: ChildProcess;
  readonly #running = new Set<ChildProcess>();

  /** The caretaker comes first: nothing is started that nobody would end. */
  constructor(options: ProgramsOptions) {
    this.#options = options;
    this.#environment = environmentOf(options);
    this.#caretaker = spawn(process.execPath, [caretakerProgram, options.root, options.home], {
      detached: true,
      cwd: '/',
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    // Whatever is wrong with it, `cleanUp` says so.
    this.#caretaker.stdin?.on('error', () => undefined);
    this.#caretaker.on('error', () => undefined);
  }

  /** Runs a command of Sluice to its end in a directory; resolves with its exit code. */
  async sluice(directory: string, words: readonly string[], signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    const output = this.#options.shown ? 'inherit' : 'ignore';
    const child = this.#start(words, { cwd: directory, stdio: ['ignore', output, output] });
    const onAbort = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      const [code] = (await once(child, 'exit')) as [number | null];
      signal.throwIfAborted();
      return code ?? 1;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** Resolves when the server listens. */
  async server(signal: AbortSignal): Promise<RunningServer> {
    signal.throwIfAborted();
    const log = openSync(join(this.#options.root, 'server.log'), 'a', 0o600);
    const words = ['server', '--listen', '127.0.0.1:0', '--json'];
    const child = this.#start(words, { cwd: this.#options.root, stdio: ['ignore', 'pipe', log] });
    closeSync(log);
    const socket = await listening(child, signal);
    const ended = (): boolean => child.exitCode !== null || child.signalCode !== null;
    const gone = async (): Promise<void> => {
      if (!ended()) await once(child, 'exit');
    };
    return {
      pid: child.pid ?? 0,
      socket,
      kill: async () => {
        child.kill('SIGKILL');
        await gone();
      },
      end: async () => {
        child.kill('SIGTERM');
        await Promise.race([gone(), wait(serverEndMs, undefined, { ref: false })]);
        if (!ended()) child.kill('SIGKILL');
        await gone();
      },
    };
  }

  /** Lets the caretaker end and remove everything; what could not be removed. */
  async cleanUp(): Promise<readonly string[]> {
    const done = once(this.#caretaker, 'exit').catch(() => undefined);
    const said = this.#caretaker.stdout === null ? '' : text(this.#caretaker.stdout);
    this.#caretaker.stdin?.end();
    await done;
    try {
      return (JSON.parse(await said) as CaretakerReport).problems;
    } catch {
      return ['the caretaker ended before it was done'];
    }
  }

  /** In a process group of its own: Ctrl-C is for the demo, which then decides what ends when. */
  #start(words: readonly string[], options: Parameters<typeof spawn>[2]): ChildProcess {
    const child = spawn(process.execPath, [mainProgram, ...words], {
      ...options,
      detached: true,
      env: this.#environment,
    });
    const { pid } = child;
    if (pid === undefined) return child;
    this.#running.add(child);
    this.#caretaker.stdin?.write(`+${pid}\n`);
    child.once('exit', () => {
      this.#running.delete(child);
      this.#caretaker.stdin?.write(`-${pid}\n`);
    });
    return child;
  }
}

/** Settings of a Sluice that the person really uses must not reach the one of the demo. */
function environmentOf({ home, colour }: ProgramsOptions): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('SLUICE_'));
  return { ...Object.fromEntries(kept), SLUICE_HOME: home, ...(colour ? {} : { NO_COLOR: '1' }) };
}

const listeningSchema = z.union([
  z.object({ addresses: z.array(z.string()) }),
  z.object({ error: z.object({ message: z.string(), remedy: z.string() }) }),
]);

/** The socket that a server says it listens on. */
async function listening(child: ChildProcess, signal: AbortSignal): Promise<string> {
  if (child.stdout === null) throw new Error('the server has no output');
  const line = await firstLine(child.stdout, AbortSignal.any([signal, AbortSignal.timeout(serverStartMs)]));
  const said = listeningSchema.parse(JSON.parse(line));
  if ('error' in said) throw new Error(`the server did not start: ${said.error.message}`);
  const socket = said.addresses.find((address) => isAbsolute(address));
  if (socket === undefined) throw new Error(`the server listens on no socket: ${line}`);
  return socket;
}

async function firstLine(output: Readable, signal: AbortSignal): Promise<string> {
  for await (const line of createInterface({ input: output, signal })) {
    output.resume();
    return line;
  }
  signal.throwIfAborted();
  throw new Error('the server ended while it was starting');
}
