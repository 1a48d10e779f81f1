// The parts of a schema that judge a value by itself: its type, a number's range, a text's length and pattern.

import { mayTakeLong } from './pattern-work.ts';
import type { Members } from './reference.ts';

export function typeProblem(value: unknown, schema: Members): string | undefined {
  const { type } = schema;
  const allowed: readonly unknown[] = Array.isArray(type) ? type : type === undefined ? [] : [type];
  if (allowed.length === 0 || allowed.some((name) => isOfType(value, name))) return undefined;
  // What stands where a type should may be anything, even a map that cannot be made a text.
  const names = allowed.map((name) => (typeof name === 'string' ? name : shown(name)));
  return `expected ${names.join(' or ').slice(0, 60)}, got ${shown(value)}`;
}

function isOfType(value: unknown, name: unknown): boolean {
  switch (name) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    default:
      return typeof value === name;
  }
}

function shown(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  return JSON.stringify(value).slice(0, 60);
}

/** OpenAPI 3.0 makes a limit exclusive by a flag beside it, 3.1 by a limit of its own. */
export function numberProblem(value: number, schema: Members): string | undefined {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf } = schema;
  const below = (limit: unknown, exclusive: boolean) =>
    typeof limit === 'number' && (value < limit || (exclusive && value === limit));
  const above = (limit: unknown, exclusive: boolean) =>
    typeof limit === 'number' && (value > limit || (exclusive && value === limit));
  if (below(minimum, exclusiveMinimum === true) || below(exclusiveMinimum, true)) return `${value} is too small`;
  if (above(maximum, exclusiveMaximum === true) || above(exclusiveMaximum, true)) return `${value} is too large`;
  if (typeof multipleOf !== 'number' || multipleOf <= 0) return undefined;
  const quotient = value / multipleOf;
  return Math.abs(quotient - Math.round(quotient)) < 1e-9 ? undefined : `${value} is no multiple of ${multipleOf}`;
}

/** Longer texts are not matched against patterns: a careless pattern on a long text takes for ever. */
const longestMatched = 4096;

export function textProblem(value: string, schema: Members): string | undefined {
  const { minLength, maxLength, pattern } = schema;
  const length = typeof minLength === 'number' || typeof maxLength === 'number' ? Array.from(value).length : 0;
  if (typeof minLength === 'number' && length < minLength)
    return `expected at least ${minLength} characters, got ${length}`;
  if (typeof maxLength === 'number' && length > maxLength)
    return `expected at most ${maxLength} characters, got ${length}`;
  if (typeof pattern !== 'string' || value.length > longestMatched || mayTakeLong(pattern, value.length))
    return undefined;
  const expression = expressionOf(pattern);
  return expression === undefined || expression.test(value)
    ? undefined
    : `${shown(value)} does not match ${pattern.slice(0, 60)}`;
}

function expressionOf(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
}
