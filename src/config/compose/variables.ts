// The variables that Compose puts into a file: those of the environment, over those of `.env`; and the lines of any such file.

import type { EnvironmentReference, EnvironmentValue } from '../../core/release.ts';
import { readVariablesFile, type VariableLine } from '../../core/variables-file.ts';
import { interpolate, InterpolationProblem, type Lookup, type Part, textOf } from './interpolate.ts';
import type { ComposeProblems } from './problems.ts';

/** A file of variables: absolute, and its text. */
export interface EnvFile {
  readonly path: string;
  readonly text: string;
}

export interface Known {
  readonly value: string;
  /** What stands for it in a plan: where it can be read again when an instance starts, so that no secret stands there. */
  readonly given: EnvironmentValue;
}

/** Undefined: the variable is not set. */
export type Variables = (name: string) => Known | undefined;

type Environment = Readonly<Record<string, string | undefined>>;

export function projectVariables(
  environment: Environment,
  file: EnvFile | undefined,
  problems: ComposeProblems,
): Variables {
  const own: Variables = (name) => {
    const value = environment[name];
    return value === undefined ? undefined : { value, given: { fromEnvironment: name } };
  };
  const lines = new Map<string, Known>();
  if (file !== undefined) addLines(lines, file, own, problems);
  return (name) => own(name) ?? lines.get(name);
}

/**
 * Adds the lines of a file in turn: each sees what `outer` has, and then the lines before it. A line that cannot be read is a problem, as
 * it is for Compose: those behind it would be empty without a word.
 */
export function addLines(known: Map<string, Known>, file: EnvFile, outer: Variables, problems: ComposeProblems): void {
  const { lines, variables, inherited, problem } = readVariablesFile(file.text);
  if (problem !== undefined)
    problems.add([], `line ${problem.line} of ${file.path} ${problem.message}`, 'Correct the line.');
  const seen: Variables = (name) => outer(name) ?? known.get(name);
  for (const line of lines) {
    const { name, text } = line;
    // A reference leads to the last line of its name.
    const canBeReadAgain = isLiteral(line) && variables.get(name) === line;
    known.set(
      name,
      canBeReadAgain
        ? { value: text, given: { fromVariables: file.path, name } }
        : knownOf(lineParts(line, file.path, seen, problems), seen),
    );
  }
  for (const name of inherited) {
    const found = outer(name);
    if (found !== undefined) known.set(name, found);
  }
}

/** The parts of a line's value. Its text may be a secret, so what is wrong with it is said by its place alone. */
function lineParts(
  { name, text, expands, line }: VariableLine,
  path: string,
  variables: Variables,
  problems: ComposeProblems,
): readonly Part[] {
  if (!expands) return [text];
  try {
    return interpolate(text, lookupIn(variables));
  } catch (error) {
    if (!(error instanceof InterpolationProblem)) throw error;
    const remedy = 'Correct the line, or set the variable in the environment or in .env.';
    problems.add([], `line ${line} of ${path}: ${name} ${error.plain}`, remedy);
    return [];
  }
}

/** A line whose text is its value, so that it can be read again without any other. */
function isLiteral({ text, expands }: VariableLine): boolean {
  return !expands || !text.includes('$');
}

export function lookupIn(variables: Variables): Lookup {
  return (name) => variables(name)?.value;
}

/** Text stays text; what came from variables is given as they are. */
export function knownOf(parts: readonly Part[], variables: Variables): Known {
  const joined: (string | EnvironmentReference)[] = [];
  for (const piece of parts.flatMap((part) => piecesOf(part, variables))) {
    const last = joined.at(-1);
    if (typeof piece === 'string' && typeof last === 'string') joined[joined.length - 1] = last + piece;
    else joined.push(piece);
  }
  const [only = '', ...others] = joined;
  return { value: textOf(parts), given: others.length === 0 ? only : { joined } };
}

function piecesOf(part: Part, variables: Variables): readonly (string | EnvironmentReference)[] {
  if (typeof part === 'string') return [part];
  const given = variables(part.variable)?.given ?? part.value;
  return typeof given !== 'string' && 'joined' in given ? given.joined : [given];
}
