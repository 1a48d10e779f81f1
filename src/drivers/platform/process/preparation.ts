// Everything about starting instances of a release that can be found out, and refused, before any of them starts.

import type { RunSpec } from '../../../core/release.ts';
import {
  inheritedVariables,
  instanceVariables,
  type Placement,
  releaseVariables,
  type Variables,
} from './environment.ts';
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

/**
 * Prepares the start of a program whose release's files lie in `directory`; `own` is the controller's environment. Rejects with
 * `instance.command`, `instance.environment`, `release.gone`, `plan.unsupported` or `config.invalid`.
 */
export async function prepare(run: RunSpec, directory: string, own: Variables): Promise<Preparation> {
  const { command, workingDirectory, limits, user: userName } = run;
  const [name = '', ...args] = command;
  const path = own['PATH'] ?? '';
  const cwd = await findWorkingDirectory(directory, workingDirectory);
  const program = await findProgram(name, directory, path);
  const [limiter, ...limiterArgs] = await limitArguments(limits, path);
  const user = userName === undefined ? undefined : await findUser(userName);
  const account = user === undefined ? {} : { HOME: user.home, USER: user.name, LOGNAME: user.name };
  const ownVariables = await releaseVariables(run, own);
  return {
    name,
    program: limiter ?? program,
    args: limiter === undefined ? args : [...limiterArgs, program, ...args],
    workingDirectory: cwd,
    user,
    variables: { HOST: '127.0.0.1', ...inheritedVariables(own), ...account, ...ownVariables },
  };
}

/** The whole environment of one start. */
export function environmentVariables(preparation: Preparation, placement: Placement): Record<string, string> {
  return { ...preparation.variables, ...instanceVariables(placement) };
}
