// `environment` and `env_file` of a service: which variable has which value, or where it is read when an instance starts.

import * as z from 'zod';
import type { EnvironmentValue } from '../../core/release.ts';
import { interpolate, InterpolationProblem, type Part } from './interpolate.ts';
import type { ComposeProblems } from './problems.ts';
import type { EnvFile, Variables } from './variables.ts';
import { environmentValue, isLiteral, lineParts, readLines } from './variables.ts';

const EnvironmentMap = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));
const nameShape = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** `environment` goes over `env_file`, and a later file over an earlier one. */
export function serviceEnvironment(
  given: unknown,
  files: readonly EnvFile[],
  variables: Variables,
  problems: ComposeProblems,
): Record<string, EnvironmentValue> {
  const all: Record<string, EnvironmentValue> = {};
  for (const file of files) Object.assign(all, fileVariables(file, variables, problems));
  Object.assign(all, ownVariables(given, variables, problems));
  for (const name of Object.keys(all)) {
    if (nameShape.test(name) && !name.startsWith('SLUICE_')) continue;
    delete all[name];
    const why = name.startsWith('SLUICE_')
      ? 'Sluice gives it to every instance'
      : 'a name is letters, digits and _, and begins with no digit';
    problems.refuse(['environment', name], why);
  }
  return all;
}

function fileVariables(
  file: EnvFile,
  variables: Variables,
  problems: ComposeProblems,
): Record<string, EnvironmentValue> {
  const { variables: lines, inherited } = readLines(file, problems);
  const found: Record<string, EnvironmentValue> = {};
  for (const [name, line] of lines) {
    if (isLiteral(line)) found[name] = { fromVariables: file.path, name };
    else
      found[name] = environmentValue(lineParts({ name, line, path: file.path }, variables.lookup, problems), variables);
  }
  for (const name of inherited) Object.assign(found, taken(name, variables));
  return found;
}

function ownVariables(
  given: unknown,
  variables: Variables,
  problems: ComposeProblems,
): Record<string, EnvironmentValue> {
  if (given === undefined || given === null) return {};
  const entries = entriesOf(given);
  if (entries === undefined) {
    problems.add(['environment'], 'is neither a map nor a list of NAME=value', 'Write lines such as NAME: value.');
    return {};
  }
  const found: Record<string, EnvironmentValue> = {};
  for (const [name, value] of entries) {
    if (value === undefined) Object.assign(found, taken(name, variables));
    else {
      const parts = attempt(['environment', name], problems, () => interpolate(value, variables.lookup));
      found[name] = environmentValue(parts, variables);
    }
  }
  return found;
}

/** A name alone takes the value that the environment has, and is not set where that has none. */
function taken(name: string, variables: Variables): Record<string, EnvironmentValue> {
  const value = variables.lookup(name);
  return value === undefined ? {} : { [name]: environmentValue([{ variable: name, value }], variables) };
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
