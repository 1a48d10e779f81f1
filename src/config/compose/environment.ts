// `environment` and `env_file` of a service: which variable has which value, or where it is read when an instance starts.

import * as z from 'zod';
import type { EnvironmentValue } from '../../core/release.ts';
import { interpolate, InterpolationProblem, type Part } from './interpolate.ts';
import type { ComposeProblems } from './problems.ts';
import { addLines, type EnvFile, type Known, knownOf, lookupIn, type Variables } from './variables.ts';

const EnvironmentMap = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));
const nameShape = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * `environment` goes over `env_file`, and a later file over an earlier one. A line of a file sees the variables of the project, then those of
 * `environment`, then the lines before it, also those of earlier files.
 */
export function serviceEnvironment(
  given: unknown,
  files: readonly EnvFile[],
  variables: Variables,
  problems: ComposeProblems,
): Record<string, EnvironmentValue> {
  const own = ownVariables(given, variables, problems);
  const known = new Map<string, Known>();
  for (const file of files) addLines(known, file, (name) => variables(name) ?? own.get(name), problems);
  const all: Record<string, EnvironmentValue> = {};
  for (const [name, { given: value }] of [...known, ...own]) {
    if (nameShape.test(name) && !name.startsWith('SLUICE_')) all[name] = value;
    else {
      const why = name.startsWith('SLUICE_')
        ? 'Sluice gives it to every instance'
        : 'a name is letters, digits and _, and begins with no digit';
      problems.refuse(['environment', name], why);
    }
  }
  return all;
}

function ownVariables(given: unknown, variables: Variables, problems: ComposeProblems): ReadonlyMap<string, Known> {
  const found = new Map<string, Known>();
  const entries = given === undefined || given === null ? [] : entriesOf(given);
  if (entries === undefined)
    problems.add(['environment'], 'is neither a map nor a list of NAME=value', 'Write lines such as NAME: value.');
  for (const [name, value] of entries ?? []) {
    // A name alone takes the value that the environment has, and is not set where that has none.
    const known = value === undefined ? variables(name) : ownValue(name, value, variables, problems);
    if (known !== undefined) found.set(name, known);
  }
  return found;
}

function ownValue(name: string, value: string, variables: Variables, problems: ComposeProblems): Known {
  const parts = attempt(['environment', name], problems, () => interpolate(value, lookupIn(variables)));
  return knownOf(parts, variables);
}

function entriesOf(given: unknown): readonly (readonly [string, string | undefined])[] | undefined {
  if (Array.isArray(given)) {
    if (!given.every((item) => typeof item === 'string')) return undefined;
    return given.map((item: string) => {
      const at = item.indexOf('=');
      return at === -1 ? [item, undefined] : [item.slice(0, at), item.slice(at + 1)];
    });
  }
  const parsed = EnvironmentMap.safeParse(given);
  if (!parsed.success) return undefined;
  return Object.entries(parsed.data).map(([name, value]) => [name, value === null ? undefined : String(value)]);
}

export function attempt(
  path: readonly string[],
  problems: ComposeProblems,
  act: () => readonly Part[],
): readonly Part[] {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof InterpolationProblem)) throw error;
    problems.add(path, error.message, 'Set the variable, in the environment or in .env, or correct the file.');
    return [];
  }
}
