// What carrying out a check needs of the outside: something that asks, and time.

import type { SecretReference } from '../../base/secret-reference.ts';
import { type Address, addressName } from '../instance.ts';
import type { Answer, NoAnswer } from './answer.ts';

export interface Request {
  readonly url: URL;
  /** As in `Target`. */
  readonly name?: string | undefined;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
  /** Whether it goes to the release itself, by its address: then no certificate can name it, and any is accepted. */
  readonly toRelease: boolean;
  /** So much of the body is kept; the rest is not read. 0: the body is read to its end, and none of it kept. */
  readonly keepBytes: number;
}

export interface Program {
  readonly command: readonly string[];
  /** Absolute. */
  readonly workingDirectory: string;
  /** Variables besides those that it has anyway. */
  readonly variables: Readonly<Record<string, string>>;
}

/** How a program ended. */
export interface Ended {
  readonly passed: boolean;
  /** `exit code 3`, `signal SIGSEGV`, `it cannot be started: …`. */
  readonly how: string;
  /** The end of what it wrote. */
  readonly output: string;
}

/** Each method settles soon after `signal` aborts, with everything it started ended; it rejects only then. */
export interface Asker {
  request(request: Request, signal: AbortSignal): Promise<Answer | NoAnswer>;
  /** Undefined: the connection was made. */
  connect(address: Address, signal: AbortSignal): Promise<NoAnswer | undefined>;
  run(program: Program, signal: AbortSignal): Promise<Ended>;
  /** The secret, or why there is none, in words that quote nothing of it. */
  secret(reference: SecretReference): Promise<{ readonly value: string } | { readonly problem: string }>;
  /** Reads JSON or YAML; throws for a text that is neither. */
  readDocument(text: string): Promise<unknown>;
}

/** Structurally the Clock port. */
export interface Time {
  now(): number;
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** What is asked: the release, by its address. */
export interface Target {
  readonly address: Address;
  readonly tls: boolean;
  /** What users call it, where that decides who answers: the header `Host` unless a check has its own, and the name in TLS. */
  readonly name?: string | undefined;
}

/** `http://127.0.0.1:4000`, without a slash at the end. */
export function originOf(target: Target): string {
  return `${target.tls ? 'https' : 'http'}://${addressName(target.address)}`;
}

/**
 * What a path on the release, or a full URL, comes to; undefined when it is neither. A path cannot lead to another host,
 * whatever it begins with.
 */
export function urlOf(target: Target, text: string): Pick<Request, 'url' | 'name' | 'toRelease'> | undefined {
  const toRelease = text.startsWith('/');
  const whole = toRelease ? `${originOf(target)}${text}` : text;
  if (!/^https?:\/\//i.test(whole) || !URL.canParse(whole)) return undefined;
  return { url: new URL(whole), toRelease, ...(toRelease ? { name: target.name } : {}) };
}
