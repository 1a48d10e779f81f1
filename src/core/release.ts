// A release: an immutable version of a service, its files and its configuration together, named by what it contains.

import type { ContainerRun } from './container.ts';

/** `shop@3f9c2a1b7d04`: service and the first 12 hex digits of the release's digest. */
export type ReleaseId = string;

/** Where a secret is read when an instance starts. */
export type EnvironmentReference =
  | { readonly fromFile: string }
  | { readonly fromEnvironment: string }
  /** One line, `NAME=value`, of a file of variables. */
  | { readonly fromVariables: string; readonly name: string };

/**
 * One environment variable: a plain text, or a reference that is resolved only when an instance starts, so that the secret
 * itself is never in a plan, the store or an event. `joined` are parts of one value.
 */
export type EnvironmentValue =
  | string
  | EnvironmentReference
  | { readonly joined: readonly (string | EnvironmentReference)[] };

/** How an instance is run. All of it counts for the digest of a release. */
export interface RunSpec {
  /**
   * The program and its arguments; no shell. Relative programs are looked for in the release's directory first, then on PATH.
   * In a container it stands in for the image's own command; empty: that one.
   */
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, EnvironmentValue>>;
  /** Relative to the release's root; `.` is the root. */
  readonly workingDirectory: string;
  /** The user (name or numeric id) that instances run as; only root can change it. */
  readonly user?: string | undefined;
  readonly limits: RunLimits;
  /** Where instances are containers. */
  readonly container?: ContainerRun | undefined;
}

/** Limits of one instance; what the system cannot enforce is refused when the plan is made. */
export interface RunLimits {
  readonly memoryBytes?: number | undefined;
  readonly openFiles?: number | undefined;
}

/** Where the files of a release are. */
export type Artifact =
  | {
      readonly kind: 'directory';
      /** The directory that the person named; only read while the release is staged. */
      readonly source: string;
      /** sha256 over paths, modes and contents, as `sha256:<64 hex>`. */
      readonly digest: string;
    }
  | {
      readonly kind: 'image';
      /** Repository without tag, e.g. `ghcr.io/acme/shop`. */
      readonly repository: string;
      readonly digest: string;
    };

export interface Release {
  readonly id: ReleaseId;
  readonly service: string;
  readonly artifact: Artifact;
  readonly run: RunSpec;
  /** What people call it, where they gave it a name (`--version 1.4.2`, a commit); shown beside the id. */
  readonly label?: string | undefined;
}
