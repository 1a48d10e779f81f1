// What a prober's test provides to the contract suite: the prober, and the world that it asks.

import type { HttpCheck, TcpCheck } from '../core/validation/check.ts';
import type { Prober, ProbeTarget } from './prober.ts';

export interface ContractReply {
  /** Default 200. */
  readonly status?: number;
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `echo`: the headers and the body of the request, as text. */
  readonly body?: string | { readonly echo: true };
  /** Answers so much later, or never. */
  readonly afterMs?: number | 'never';
}

/** Path → its replies: each once, the last one for good. Other paths answer 404. */
export type ContractPages = Readonly<Record<string, readonly ContractReply[]>>;

export interface ContractProgram {
  readonly exitCode?: number;
  readonly output?: string;
  /** Writes `SLUICE_HOST SLUICE_PORT SLUICE_URL`, parted by spaces. */
  readonly tells?: boolean;
  readonly afterMs?: number | 'never';
}

/** A variable that the prober finds its secrets in. */
export const secretVariable = { name: 'SLUICE_TEST_TOKEN', value: 'Bearer s3cr3t-of-the-environment' } as const;

/** What a driver's test provides; made anew for each test. */
export interface ProberHarness {
  readonly prober: Prober;
  /** Lets time pass until the promise settles. */
  readonly until: <T>(promise: Promise<T>) => Promise<T>;
  /** Starts a release that answers with these pages. */
  serve(pages: ContractPages): Promise<ProbeTarget>;
  /** How many requests for a path have arrived. */
  requests(path: string): number;
  /** Resolves as soon as a request for the path has arrived. */
  arrived(path: string): Promise<void>;
  /** An address where nothing listens. */
  nobody(): Promise<ProbeTarget>;
  /** A command that does this. */
  program(program: ContractProgram): Promise<readonly string[]>;
  /** An existing directory. */
  readonly workingDirectory: string;
  close(): Promise<void>;
}

export const limits = { withinMs: 10_000, attempts: 1, pauseMs: 0 };

export function httpCheck(given: Partial<HttpCheck>): HttpCheck {
  return {
    ...limits,
    kind: 'http',
    url: '/',
    method: 'GET',
    headers: {},
    status: [{ from: 200, to: 299 }],
    expectHeaders: {},
    expectJson: {},
    concurrency: 1,
    ...given,
  };
}

export function tcpCheck(target: ProbeTarget): TcpCheck {
  return { ...limits, kind: 'tcp', ...target.address };
}

export type Case = (harness: ProberHarness) => Promise<void>;

/** Registers one test of a suite. */
export type Within = (title: string, run: Case) => void;
