// Running copies of releases, and groups of them.

import type { Release, ReleaseId } from './release.ts';
import type { Scope } from './scope.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** What is wanted of a platform: so many copies of a release. */
export interface InstanceGroup {
  readonly scope: Scope;
  readonly release: Release;
  /** The deployment that wants them; a label only: a later deployment of the same release takes the group over. */
  readonly deployment: string;
  readonly instances: number;
}

export interface Instance {
  /** Unique on the platform and stable over restarts of this copy. */
  readonly id: string;
  readonly release: ReleaseId;
  readonly deployment: string;
  readonly address: Address;
  readonly state: 'running' | 'exited';
  /** Epoch milliseconds of the last start. */
  readonly startedAt: number;
  /** How often it was started again after ending by itself. */
  readonly restarts: number;
  /** Why it ended, where it did: `exit code 1`, `signal SIGSEGV`, `not known: …`. */
  readonly exit?: string | undefined;
  /** What the platform's own health check of it says, where it has one (the HEALTHCHECK of an image). */
  readonly ownHealth?: OwnHealth | undefined;
}

export interface OwnHealth {
  readonly state: 'starting' | 'healthy' | 'unhealthy';
  /** What the check wrote last. */
  readonly words: string;
}

/** One line that an instance wrote. */
export interface LogLine {
  /** Epoch milliseconds where the platform knows them. */
  readonly at?: number | undefined;
  readonly release: ReleaseId;
  readonly instance: string;
  readonly stream: 'stdout' | 'stderr';
  /** Without line end; at most 8 KiB, cut with `…`. */
  readonly text: string;
}

export function addressName(address: Address): string {
  return address.host.includes(':') ? `[${address.host}]:${address.port}` : `${address.host}:${address.port}`;
}
