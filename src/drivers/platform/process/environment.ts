// The environment of an instance: a few variables of the controller, the release's own, and what Sluice says about the instance.

import { readFile, stat } from 'node:fs/promises';
import { Failure } from '../../../base/failure.ts';
import { isCode } from '../../../base/system-error.ts';
import type { EnvironmentValue, Release, RunSpec } from '../../../core/release.ts';
import type { Scope } from '../../../core/scope.ts';

export type Variables = Readonly<Record<string, string | undefined>>;

/** Carries the token of a start, by which a controller finds a process whose start it has not recorded. */
export const tokenVariable = 'SLUICE_INSTANCE_TOKEN';

const inherited = ['PATH', 'HOME', 'USER', 'LOGNAME', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'] as const;

const longestValueBytes = 64 * 1024;

/** The release's own variables, references resolved. Rejects with `instance.environment`, which never quotes a value. */
export async function releaseVariables(run: RunSpec, own: Variables): Promise<Record<string, string>> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(run.environment)) {
    variables[name] = await resolveValue(name, value, own);
  }
  return variables;
}

export function inheritedVariables(own: Variables): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const name of inherited) {
    const value = own[name];
    if (value !== undefined) variables[name] = value;
  }
  return variables;
}

export interface Placement {
  readonly scope: Scope;
  readonly release: Release;
  readonly instance: string;
  readonly token: string;
  readonly port: number;
}

/** What only Sluice can say; it goes over everything that the release says. */
export function instanceVariables(placement: Placement): Record<string, string> {
  return {
    PORT: String(placement.port),
    SLUICE_SERVICE: placement.scope.service,
    SLUICE_ENVIRONMENT: placement.scope.environment,
    SLUICE_RELEASE: placement.release.id,
    SLUICE_INSTANCE: placement.instance,
    [tokenVariable]: placement.token,
  };
}

async function resolveValue(name: string, value: EnvironmentValue, own: Variables): Promise<string> {
  if (typeof value === 'string') return value;
  if ('fromFile' in value) return readValue(name, value.fromFile);
  const found = own[value.fromEnvironment];
  if (found !== undefined) return found;
  throw unresolved(name, `The variable ${value.fromEnvironment} is not set in the controller’s environment`);
}

/** The file's text without the line end that editors put behind it. */
async function readValue(name: string, path: string): Promise<string> {
  const text = await readBounded(name, path);
  if (text.includes('\0')) throw unresolved(name, `The file ${path} holds a NUL character`);
  return text.replace(/\r?\n$/, '');
}

async function readBounded(name: string, path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (!found.isFile()) throw unresolved(name, `${path} is not a file`);
    if (found.size > longestValueBytes) throw unresolved(name, `The file ${path} is larger than 64 KiB`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Failure) throw error;
    const why = isCode(error, 'ENOENT') ? 'does not exist' : 'cannot be read';
    throw unresolved(name, `The file ${path} ${why}`, error);
  }
}

function unresolved(name: string, why: string, cause?: unknown): Failure {
  return new Failure('instance.environment', `${why}; the environment variable ${name} needs it.`, {
    at: `release.environment.${name}`,
    remedy: 'Provide it to the controller that starts the instances, or correct the reference.',
    cause,
  });
}
