// The variables that Compose puts into a file: those of the environment, over those of `.env`.

import type { EnvironmentReference, EnvironmentValue } from '../../core/release.ts';
import { readVariablesFile, type VariableLine, type VariablesFile } from '../../core/variables-file.ts';
import { interpolate, InterpolationProblem, type Lookup, type Part, textOf } from './interpolate.ts';
import type { ComposeProblems } from './problems.ts';

/** A file of variables: absolute, and its text. */
export interface EnvFile {
  readonly path: string;
  readonly text: string;
}

export interface Variables {
  readonly lookup: Lookup;
  /** Where the value of a variable can be read again when an instance starts; undefined: it was put together. */
  readonly reference: (name: string) => EnvironmentReference | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** A line of `.env` that cannot be read is a problem, as it is for Compose: those after it would be empty without a word. */
export function projectVariables(
  environment: Environment,
  file: EnvFile | undefined,
  problems: ComposeProblems,
): Variables {
  const lines = file === undefined ? new Map<string, VariableLine>() : readLines(file, problems).variables;
  const values = new Map<string, string>();
  const lookup: Lookup = (name) => environment[name] ?? values.get(name);
  for (const [name, line] of lines)
    values.set(name, textOf(lineParts({ name, line, path: file?.path ?? '' }, lookup, problems)));
  const reference = (name: string): EnvironmentReference | undefined => {
    if (environment[name] !== undefined) return { fromEnvironment: name };
    const line = lines.get(name);
    if (line === undefined || file === undefined || !isLiteral(line)) return undefined;
    return { fromVariables: file.path, name };
  };
  return { lookup, reference };
}

/** Of `.env`, or of an `env_file`. */
export function readLines(file: EnvFile, problems: ComposeProblems): VariablesFile {
  const found = readVariablesFile(file.text);
  const { problem } = found;
  if (problem !== undefined)
    problems.add([], `line ${problem.line} of ${file.path} ${problem.message}`, 'Correct the line.');
  return found;
}

/** The parts of a line's value. Its text may be a secret, so what is wrong with it is said by its place alone. */
export function lineParts(
  { name, line, path }: { readonly name: string; readonly line: VariableLine; readonly path: string },
  lookup: Lookup,
  problems: ComposeProblems,
): readonly Part[] {
  if (!line.expands) return [line.text];
  try {
    return interpolate(line.text, lookup);
  } catch (error) {
    if (!(error instanceof InterpolationProblem)) throw error;
    const remedy = 'Correct the line, or set the variable in the environment or in .env.';
    problems.add([], `line ${line.line} of ${path}: ${name} ${error.plain}`, remedy);
    return [];
  }
}

/** A line whose text is its value, so that it can be read again without any other. */
export function isLiteral({ text, expands }: VariableLine): boolean {
  return !expands || !text.includes('$');
}

/** Text stays text; what came from variables becomes a reference, so that no secret stands in a plan. */
export function environmentValue(parts: readonly Part[], variables: Variables): EnvironmentValue {
  const joined: (string | EnvironmentReference)[] = [];
  for (const part of parts) {
    const piece = typeof part === 'string' ? part : (variables.reference(part.variable) ?? part.value);
    const last = joined.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') joined[joined.length - 1] = last + piece;
    else joined.push(piece);
  }
  const [only = '', ...others] = joined;
  return others.length === 0 ? only : { joined };
}
