// The platform port: runs copies of releases and finds them again.

import type { Instance, InstanceGroup, LogLine } from '../core/instance.ts';
import type { ReleaseId, RunSpec } from '../core/release.ts';
import type { Scope } from '../core/scope.ts';

export interface StopRequest {
  readonly scope: Scope;
  readonly release: ReleaseId;
  /** Only these instances; undefined: all of the release. */
  readonly instances?: readonly string[] | undefined;
  /** Between asking an instance to end and ending it; milliseconds. */
  readonly graceMs: number;
}

export interface LogQuery {
  readonly scope: Scope;
  readonly release?: ReleaseId | undefined;
  readonly instance?: string | undefined;
  /** So many of the newest lines of each instance first. */
  readonly lastLines: number;
  /** Go on with new lines until `signal` aborts. */
  readonly follow: boolean;
}

export interface Platform {
  /**
   * Finds out, without starting anything, whether such instances can run here. `directory` holds the release's files while a plan
   * is made; undefined where there are none yet. Rejects with `instance.command`, `instance.environment`, `plan.unsupported` …
   */
  check(run: RunSpec, directory: string | undefined): Promise<void>;
  /**
   * Makes exactly what is missing so that `group.instances` copies of the release run: starts absent ones, starts exited ones
   * again, never touches running ones and never stops surplus ones. Idempotent. Returns all copies of the release, started ones
   * included, without waiting for health. Rejects with `instance.command`, `instance.crashed`, `port.taken`, `disk.full` …
   */
  ensure(group: InstanceGroup, signal?: AbortSignal): Promise<readonly Instance[]>;
  /**
   * Every instance that Sluice started in this scope, exited ones that were not stopped by Sluice included. Called regularly by
   * the engine, so drivers may do their housekeeping in it.
   */
  list(scope: Scope): Promise<readonly Instance[]>;
  /** Ends instances: gracefully, then by force after `graceMs`; resolves when none of them runs. Idempotent; unknown ones are no error. */
  stop(request: StopRequest): Promise<void>;
  /**
   * Gives up what is kept of the scope's stopped instances: their output, and whatever somebody else made is left to them again.
   * Running ones stay as they are. Idempotent.
   */
  forget(scope: Scope): Promise<void>;
  /**
   * Lines of the instances that `list` gives; of stopped ones too, as long as their output is kept, where the query names them or
   * their release. Ends after the newest lines, or with `follow` when `signal` aborts.
   */
  logs(query: LogQuery, signal?: AbortSignal): AsyncIterable<LogLine>;
}
