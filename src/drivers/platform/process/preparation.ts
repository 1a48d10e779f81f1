// Everything about starting instances of a release that can be found out, and refused, before any of them starts.

import type { RunSpec } from '../../../core/release.ts';
import { releaseVariables, type Variables } from '../environment-values.ts';
import { inheritedVariables, instanceVariables, type Placement } from './environment.ts';
import { findProgram, findWorkingDirectory } from './executable.ts';
import { limitArguments } from './limits.ts';
import { findUser, type SystemUser } from './user.ts';

export interface Preparation {
  /** The program as the release names it. */
  readonly name: string;
  /** What is really started: the program, or the one that sets its limits first. */
  readonly program: string;
  readonly args: readonly string[];
  readonly workingDirectory: string;
  readonly user: SystemUser | undefined;
  /** Inherited variables and those of the release; may hold secrets, so it is never logged. */
  readonly variables: Readonly<Record<string, string>>;
}

/** What can be known without the release's files. */
type Conditions = Pick<Preparation, 'user' | 'variables'> & {
  /** What stands before the program: the one that sets its limits, with its arguments. */
  readonly limiter: readonly string[];
};

/**
 * Prepares the start of a program whose release's files lie in `directory`; `own` is the controller's environment. Rejects with
 * `instance.command`, `instance.environment`, `release.gone`, `plan.unsupported` or `config.invalid`.
 */
export async function prepare(run: RunSpec, directory: string, own: Variables): Promise<Preparation> {
  const [name = '', ...args] = run.command;
  const workingDirectory = await findWorkingDirectory(directory, run.workingDirectory);
  const found = await findProgram(name, directory, own['PATH'] ?? '');
  const { limiter, user, variables } = await prepareConditions(run, own);
  const [program = found, ...rest] = [...limiter, found, ...args];
  return { name, program, args: rest, workingDirectory, user, variables };
}

/** Limits, user and environment. Rejects with `instance.environment`, `plan.unsupported` or `config.invalid`. */
export async function prepareConditions(run: RunSpec, own: Variables): Promise<Conditions> {
  const limiter = await limitArguments(run.limits, own['PATH'] ?? '');
  const user = run.user === undefined ? undefined : await findUser(run.user);
  const account = user === undefined ? {} : { HOME: user.home, USER: user.name, LOGNAME: user.name };
  const variables = await releaseVariables(run, own);
  return { limiter, user, variables: { HOST: '127.0.0.1', ...inheritedVariables(own), ...account, ...variables } };
}

/** The whole environment of one start. */
export function environmentVariables(preparation: Preparation, placement: Placement): Record<string, string> {
  return { ...preparation.variables, ...instanceVariables(placement) };
}
