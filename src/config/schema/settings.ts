// The building blocks of the schema: maps of settings that know their names, choices by name, and settings that can be off.

import * as z from 'zod';
import { nearest } from '../nearest.ts';
import { oneOf, shown, words } from '../words.ts';

/** Parts the texts of several unknown names in one issue. Names are shown as JSON, so it cannot occur inside one. */
export const betweenUnknown = '\n\n';

/** A map that refuses unknown names, each with the name that was probably meant. */
export function settings<Shape extends z.core.$ZodLooseShape>(shape: Shape, example?: string) {
  const names = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys')
        return issue.keys.map((key, index) => unknownName(key, names, index < mostGuesses)).join(betweenUnknown);
      return words(
        'is not a map of settings',
        example === undefined ? `Write settings under it: ${oneOf(names)}.` : `Write ${example}.`,
      );
    },
  });
}

/** To guess what was meant takes time, and nobody reads more guesses than these. */
const mostGuesses = 50;

function unknownName(name: string, names: readonly string[], guess: boolean): string {
  const meant = guess ? nearest(name, names) : undefined;
  return words(
    'is not a setting',
    meant === undefined ? `Known here: ${names.join(', ')}.` : `Did you mean ${JSON.stringify(meant)}?`,
  );
}

export type Chosen<Shape extends Record<string, z.ZodType>> = {
  [Name in keyof Shape]: { readonly name: Name; readonly settings: z.output<Shape[Name]> };
}[keyof Shape];

/** One of several kinds, written as its name alone (all its settings at their defaults) or as a map of the name to its settings. */
export function choice<Shape extends Record<string, z.ZodType>>(what: string, example: string, shape: Shape) {
  const names = Object.keys(shape);
  const byName = z
    .enum(names, { error: (issue) => unknownChoice(issue.input, what, { names, example }) })
    .transform((name, context): Chosen<Shape> => withDefaults(name, shape, context));
  return z.union([byName, oneKind(what, shape)]);
}

/** A map with exactly one of these names, and that kind's settings under it. */
export function oneKind<Shape extends Record<string, z.ZodType>>(what: string, shape: Shape, example?: string) {
  const remedy = example === undefined ? `Write ${oneOf(Object.keys(shape))} under it.` : `Write ${example}.`;
  const message = words(`does not name exactly one ${what}`, remedy);
  const optional = Object.fromEntries(Object.entries(shape).map(([name, schema]) => [name, schema.optional()]));
  return settings(optional, example)
    .meta({ minProperties: 1, maxProperties: 1 })
    .transform((given, context): Chosen<Shape> => {
      const [entry, ...others] = Object.entries(given).filter(([, value]) => value !== undefined);
      if (entry !== undefined && others.length === 0) return { name: entry[0], settings: entry[1] } as Chosen<Shape>;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    });
}

function withDefaults<Shape extends Record<string, z.ZodType>>(
  name: string,
  shape: Shape,
  context: z.core.$RefinementCtx,
): Chosen<Shape> {
  const parsed = shape[name]?.safeParse({});
  if (parsed?.success === true) return { name, settings: parsed.data } as Chosen<Shape>;
  for (const issue of parsed?.error.issues ?? []) {
    context.addIssue({ code: 'custom', path: [name, ...issue.path], message: issue.message });
  }
  return z.NEVER;
}

function unknownChoice(
  input: unknown,
  what: string,
  { names, example }: { readonly names: readonly string[]; readonly example: string },
): string {
  const meant = typeof input === 'string' ? nearest(input, names) : undefined;
  const remedy =
    meant === undefined
      ? `Write ${example}${names.length > 1 ? ` or another of ${names.join(', ')}` : ''}.`
      : `Did you mean ${shown(meant)}? Known: ${names.join(', ')}.`;
  return words(`is not a ${what}`, remedy);
}

/** A setting that can also be switched off by the word `off`. */
export function orOff<Schema extends z.ZodType>(schema: Schema) {
  return z.union([schema, z.literal('off')]);
}
