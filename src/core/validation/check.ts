// Validation checks: what is asked of a release before it gets traffic, after the switch, and by `sluice validate`.

import type { SecretReference } from '../../base/secret-reference.ts';

/** Attempts and time common to all checks. */
export interface CheckLimits {
  /** How long one attempt may take; for HTTP also the limit on the response time. Milliseconds. */
  readonly withinMs: number;
  /** Attempts before the check counts as failed, at least 1. */
  readonly attempts: number;
  /** Pause between attempts, milliseconds. */
  readonly pauseMs: number;
}

export interface HttpCheck extends CheckLimits {
  readonly kind: 'http';
  /** Path and query on the release under test, or a full URL for a dependency. */
  readonly url: string;
  readonly method: string;
  /** Text, or where it is read from at each attempt. */
  readonly headers: Readonly<Record<string, string | SecretReference>>;
  readonly body?: string | undefined;
  /** Accepted status codes: `200`, or a range such as `200-299`. */
  readonly status: readonly StatusRange[];
  /** Header name (lower case) → text the value must contain. */
  readonly expectHeaders: Readonly<Record<string, string>>;
  /** JSON path (`items[0].id`) → exact value expected there. */
  readonly expectJson: Readonly<Record<string, string | number | boolean | null>>;
  /** Text that the body must contain. */
  readonly contains?: string | undefined;
  /** So many of these requests at once, all of which must pass. */
  readonly concurrency: number;
}

export interface StatusRange {
  readonly from: number;
  readonly to: number;
}

export interface TcpCheck extends CheckLimits {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** A program that must end with exit code 0; it is told the release's address in SLUICE_HOST, SLUICE_PORT and SLUICE_URL. */
export interface CommandCheck extends CheckLimits {
  readonly kind: 'command';
  readonly command: readonly string[];
  /** Absolute. */
  readonly workingDirectory: string;
}

/** The OpenAPI document is reachable and every GET path without required parameters answers as it says. */
export interface OpenApiCheck extends CheckLimits {
  readonly kind: 'openapi';
  readonly url: string;
  /** At most so many paths are asked. */
  readonly maxPaths: number;
}

export type ValidationCheck = HttpCheck | TcpCheck | CommandCheck | OpenApiCheck;

/** What came of one check. */
export interface CheckOutcome {
  /** `GET /health/ready`, `tcp db:5432`, `./check.sh`, `openapi /openapi.json`. */
  readonly name: string;
  readonly passed: boolean;
  readonly attempts: number;
  readonly durationMs: number;
  /** Why it failed, or what was seen; a sentence without secrets, at most 500 characters. */
  readonly reason: string;
}

/** The name by which a check is shown everywhere. */
export function checkName(check: ValidationCheck): string {
  switch (check.kind) {
    case 'http':
      return `${check.method} ${check.url}${check.concurrency > 1 ? ` ×${check.concurrency}` : ''}`;
    case 'tcp':
      return `tcp ${check.host}:${check.port}`;
    case 'command':
      return check.command.join(' ');
    case 'openapi':
      return `openapi ${check.url}`;
  }
}
