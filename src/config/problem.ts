// Problems of a configuration file, and the one failure that names them all.

import { Failure } from '../base/failure.ts';
import { failureCatalogue, type FailureCode } from '../base/failure-catalogue.ts';

export type Path = readonly (string | number)[];

export interface Position {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}

export interface Problem {
  readonly code: 'config.invalid' | 'config.syntax' | 'release.mutable';
  /** The setting: `environments.production.health.timeout`; empty for the file as a whole. */
  readonly path: string;
  /** A sentence without its path and full stop. */
  readonly message: string;
  readonly remedy: string;
  readonly position?: Position | undefined;
}

/** So many are named; who has more has the wrong file. */
export const mostNamed = 25;

/** `validate[2].http.path`; names that are no plain words stand in brackets. */
export function pathText(path: Path): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    if (!/^[\w-]{1,64}$/.test(part)) return `${text}[${JSON.stringify(part.slice(0, 64))}]`;
    return text === '' ? part : `${text}.${part}`;
  }, '');
}

/** The failure for at least one problem; it names each with its place and remedy, in the order of the file. */
export function configFailure(file: string, found: readonly Problem[]): Failure {
  const problems = distinct(found).sort(byPosition);
  const [first] = problems;
  if (first === undefined) throw new Error('invariant broken: a configuration failure without a problem');
  const code: FailureCode = problems.every((problem) => problem.code === first.code) ? first.code : 'config.invalid';
  const details = { problems: problems.slice(0, mostNamed), count: problems.length };
  const place = placeText(file, first);
  if (problems.length === 1) return new Failure(code, first.message, { at: place, remedy: first.remedy, details });
  const lines = problems
    .slice(0, mostNamed)
    .map((problem) => `  ${placeText(file, problem)}: ${problem.message}. ${problem.remedy}`);
  if (problems.length > mostNamed) lines.push(`  … and ${problems.length - mostNamed} more`);
  const message = `${file} has ${problems.length} problems:\n${lines.join('\n')}`;
  return new Failure(code, message, { at: place, remedy: failureCatalogue['config.invalid'].remedy, details });
}

function placeText(file: string, { position }: Problem): string {
  return position === undefined ? file : `${file}:${position.line}:${position.column}`;
}

function distinct(problems: readonly Problem[]): Problem[] {
  const byText = new Map(problems.map((problem) => [JSON.stringify([problem.position, problem.message]), problem]));
  return [...byText.values()];
}

function byPosition(a: Problem, b: Problem): number {
  const [left, right] = [a.position, b.position];
  if (left === undefined || right === undefined) return Number(left !== undefined) - Number(right !== undefined);
  return left.line - right.line || left.column - right.column;
}
