// Schemas for core values that only travel from server to client: the outer fields are checked, the rest passes as it is.

import * as z from 'zod';

type RequiredKey<T> = { [K in keyof T]-?: object extends Pick<T, K> ? never : K }[keyof T];

/** A schema for each field that `T` must have, and for as many of the others as the shape likes to check. */
type OuterShape<T> = { readonly [K in RequiredKey<T>]: z.ZodType<T[K]> } & {
  readonly [K in keyof T]?: z.ZodType<T[K]>;
};

/**
 * Checks the fields of `shape` and lets all others through, unknown ones too: a newer server may tell more. What lies deeper is
 * trusted, for it comes from the same program on the other side.
 */
export function outer<T extends object>(shape: OuterShape<T>): z.ZodType<T> {
  return z.looseObject(shape) as unknown as z.ZodType<T>;
}

/** An object whose fields are not checked. */
export function passing<T extends object>(): z.ZodType<T> {
  return z.custom<T>((value) => typeof value === 'object' && value !== null, { error: 'not an object' });
}
