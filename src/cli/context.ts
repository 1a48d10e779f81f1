// What the CLI needs from outside: terminal, environment, time, and a connection to a controller. main.ts passes the real things.

import type { Controller } from '../engine/controller.ts';
import type { Look } from './render/look.ts';

export type {
  Command,
  DeploymentDetail,
  LiveNumbers,
  LogsRequest,
  PruneAnswer,
  RemoveAnswer,
  ScopeStatus,
  StreamItem,
} from '../engine/controller.ts';

/** The typed client: everything that can be asked of a controller, wherever it runs. */
export type Client = Omit<Controller, 'close'>;

export interface Connection {
  readonly client: Client;
  /** `server`: another process carries deployments out; `local`: the same routes in this process, which is the controller. */
  readonly mode: 'server' | 'local';
  /**
   * `settle` is for `local` only: what this process carries out goes back before it resolves. `leave`: a `local` one resolves only
   * when nothing is under way that would stand still without it, and says why it waits. May be called more than once.
   */
  close(mode: 'leave' | 'settle', note?: (text: string) => void): Promise<void>;
}

export interface ConnectOptions {
  /** Where Sluice keeps what it has to remember; undefined: the default place. */
  readonly home?: string | undefined;
  /** Address of a server; undefined: one that listens on this machine's socket, otherwise this process. */
  readonly server?: string | undefined;
  /** Proves to the server that the person may ask. */
  readonly token?: string | undefined;
  readonly verbose: boolean;
}

export interface ServerOptions {
  readonly home?: string | undefined;
  /** `host:port`; undefined: the default on loopback. */
  readonly listen?: string | undefined;
  /** Path of the unix socket; undefined: the default place under `home`. */
  readonly socket?: string | undefined;
  readonly token?: string | undefined;
  readonly verbose: boolean;
}

export interface ServerHandle {
  /** Where it listens, as people can use it: `http://127.0.0.1:7433`, `/run/sluice.sock`. */
  readonly addresses: readonly string[];
  /** Resolves when it ended by itself; rejects with what ended it. */
  readonly ended: Promise<void>;
  /** Ends it; deployments under way are left for the next controller. */
  close(): Promise<void>;
}

export interface DemoOptions {
  /** Stay up at the end, until a signal comes. */
  readonly keep: boolean;
  /** Tell nothing but the summary, as JSON. */
  readonly json: boolean;
  readonly colour: boolean;
  readonly look: () => Look;
  readonly print: (lines: readonly string[]) => void;
  readonly printJson: (value: unknown) => void;
  /** Aborted when nobody reads what is printed any more. */
  readonly outputGone: AbortSignal;
}

/** A terminal or a pipe to write to. */
export interface TextSink {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  /** Columns and rows of the terminal, where it is one. */
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** What main.ts gets from compose.ts. */
export interface Composition {
  connect(options: ConnectOptions): Promise<Connection>;
  startServer(options: ServerOptions): Promise<ServerHandle>;
  /** Narrates on stdout; resolves with the exit code. */
  demo(options: DemoOptions): Promise<number>;
}

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP';

export interface CliContext extends Composition {
  /** Without the program's own name. */
  readonly argv: readonly string[];
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean | undefined };
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Aborted when nobody reads stdout any more. */
  readonly stdoutGone: AbortSignal;
  /** `user@host`. */
  actor(): string;
  version(): Promise<string>;
  /** Epoch milliseconds. */
  now(): number;
  /** Resolves after `durationMs`, or at once when `signal` aborts; never rejects. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
  /** Minutes that local time is ahead of UTC at a moment. */
  zone(at: number): number;
  /** Calls `listener` for each signal until the returned function is called; meanwhile signals do not end the process. */
  onSignal(listener: (signal: SignalName) => void): () => void;
  /** Ends the process without waiting for anything. */
  exit(code: number): void;
}
