// Turns what the schema found into problems: one sentence with the path and the value, one with the remedy.

import type * as z from 'zod';
import { type Path, pathText, type Problem } from './problem.ts';
import { betweenUnknown } from './schema/settings.ts';
import { shown, splitWords } from './words.ts';

type Issue = z.core.$ZodIssue;

export interface FoundProblem extends Problem {
  readonly place: Path;
  readonly what: 'name' | 'value';
  /** Nothing is there; whether something has to be, only the whole environment tells. */
  readonly missing: boolean;
}

/** Under these names stand secrets of the user, which no message may repeat. */
const secretBelow = new Set(['env', 'headers', 'body', 'expectHeaders']);

/** `input` is the value that was parsed; `prefix` is put before each path. */
export function problemsFrom(issues: readonly Issue[], input: unknown, prefix: Path = []): readonly FoundProblem[] {
  // zod also judges the contents of a map with unknown names; what it says about the map as a whole only repeats the trouble.
  const unknownIn = new Set(issues.filter((issue) => issue.code === 'unrecognized_keys').map(placeOf));
  const telling = issues.filter((issue) => issue.code !== 'custom' || !unknownIn.has(placeOf(issue)));
  return telling.flatMap((issue) => problemsOf(issue, input, prefix));
}

function placeOf(issue: Issue): string {
  return JSON.stringify(issue.path);
}

function problemsOf(issue: Issue, input: unknown, prefix: Path): readonly FoundProblem[] {
  const path = [...prefix, ...issue.path.filter((part) => typeof part !== 'symbol')];
  const value = valueAt(input, path);
  if (value === undefined) return [missing(issue, path)];
  if (issue.code === 'unrecognized_keys') {
    const texts = issue.message.split(betweenUnknown);
    return issue.keys.map((key, index) => unknownName([...path, key], texts[index] ?? ''));
  }
  if (issue.code === 'invalid_union') return problemsFrom(branch(issue), input, path);
  return [issue.code === 'invalid_key' ? wrongName(issue, path) : wrongValue(issue, path, value)];
}

const general = 'Correct it; docs/reference/config.md lists all settings.';

const base = { code: 'config.invalid', missing: false } as const;

function unknownName(path: Path, text: string): FoundProblem {
  const { problem, remedy } = splitWords(text);
  return {
    ...base,
    path: pathText(path),
    message: `${pathText(path)} ${problem}`,
    remedy: remedy ?? general,
    place: path,
    what: 'name',
  };
}

function wrongName(issue: Extract<Issue, { code: 'invalid_key' }>, path: Path): FoundProblem {
  const { problem, remedy } = splitWords(issue.issues[0]?.message ?? issue.message);
  const message = `${pathText(path)}: ${shown(path.at(-1))} ${problem}`;
  return { ...base, path: pathText(path), message, remedy: remedy ?? general, place: path, what: 'name' };
}

function missing(issue: Issue, path: Path): FoundProblem {
  const first = issue.code === 'invalid_union' ? branch(issue)[0] : issue;
  const { remedy } = splitWords(first?.message ?? '');
  const message = `${pathText(path)} is missing`;
  return {
    ...base,
    path: pathText(path),
    message,
    remedy: remedy ?? general,
    place: path,
    what: 'value',
    missing: true,
  };
}

function wrongValue(issue: Issue, path: Path, value: unknown): FoundProblem {
  const place = { ...base, path: pathText(path), place: path, what: 'value' } as const;
  const subject = path.length === 0 ? 'The file' : `${pathText(path)}:`;
  if (value === null) {
    return { ...place, message: `${pathText(path)} has no value`, remedy: 'Give it one, or remove the line.' };
  }
  const { problem, remedy } = splitWords(issue.message);
  const secret = path.some((part) => typeof part === 'string' && secretBelow.has(part));
  const seen = secret && typeof value !== 'object' ? 'the value' : shown(value);
  const message = path.length === 0 ? `${subject} ${problem}` : `${subject} ${seen} ${problem}`;
  return { ...place, message, remedy: remedy ?? general };
}

/** The alternative that was meant: the only one, or the first, whose kind of value was given. */
function branch(issue: Extract<Issue, { code: 'invalid_union' }>): readonly Issue[] {
  return issue.errors.find((issues) => !issues.some(isMismatch)) ?? issue.errors[0] ?? [];
}

/** Whether an alternative was not meant at all, because the value is of another kind. */
function isMismatch(issue: Issue): boolean {
  if (issue.path.length > 0) return false;
  if (issue.code === 'invalid_union') return issue.errors.every((issues) => issues.some(isMismatch));
  return issue.code === 'invalid_type' || issue.code === 'invalid_value';
}

/** The value at a path; undefined where there is none. Only own properties count. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value;
  for (const part of path) {
    if (current === null || typeof current !== 'object' || !Object.hasOwn(current, part)) return undefined;
    current = (current as Readonly<Record<string | number, unknown>>)[part];
  }
  return current;
}
