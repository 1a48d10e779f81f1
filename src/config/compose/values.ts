// The single values of a Compose file, in every way in which Compose takes them.

import * as z from 'zod';
import { splitCommand } from '../command.ts';

export const longText = z.string().max(65_536);

/** Numbers and booleans stand for their text. */
export const scalar = z.union([longText, z.number(), z.boolean()]).transform(String);

export const flag = z.union([z.boolean(), z.enum(['true', 'false']).transform((text) => text === 'true')]);

export const whole = z
  .union([
    z.number(),
    z
      .string()
      .regex(/^-?\d+$/)
      .transform(Number),
  ])
  .pipe(z.int());

export const decimal = z.union([
  z.number(),
  z
    .string()
    .regex(/^\d+(?:\.\d+)?$/)
    .transform(Number),
]);

const unitBytes: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
};

/** `512m`, `1.5g`, `64kb`, or bytes; units are powers of 1024 whatever their name. */
export const bytes = z.union([z.number(), longText]).transform((given, context) => {
  const found = /^(\d+(?:\.\d+)?) ?([kmgt]?)(?:i?b)?$|^(-1)$/i.exec(String(given).trim());
  const [, amount, unit = '', unlimited] = found ?? [];
  if (unlimited !== undefined) return -1;
  const size = amount === undefined ? undefined : Math.round(Number(amount) * (unitBytes[unit.toLowerCase()] ?? 1));
  if (size !== undefined) return size;
  context.addIssue({ code: 'custom', message: 'is not a size such as 512m' });
  return z.NEVER;
});

const unitMs: Readonly<Record<string, number>> = {
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** `1m30s`, to milliseconds. */
export const duration = longText.transform((text, context) => {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(us|µs|ms|s|m|h|d)/g)];
  if (parts.length > 0 && parts.map(([whole]) => whole).join('') === text)
    return Math.round(parts.reduce((sum, [, amount, unit = '']) => sum + Number(amount) * (unitMs[unit] ?? 0), 0));
  context.addIssue({ code: 'custom', message: 'is not a duration such as 1m30s' });
  return z.NEVER;
});

export const textOrList = z.union([scalar.transform((text) => [text]), z.array(scalar).max(1000)]);

/** A command as a list, or as one text that is parted as a shell would. */
export const command = z.union([
  z.array(scalar).max(1000),
  longText.transform((text, context) => {
    if (text.trim() === '') return [];
    const split = splitCommand(text);
    if (split.kind === 'words') return split.words;
    context.addIssue({ code: 'custom', message: split.problem });
    return z.NEVER;
  }),
]);

/** `name: value` lines, or a list of `name=value`. */
export const pairs = z.union([
  z.record(z.string(), z.union([scalar, z.null().transform(() => '')])),
  z
    .array(longText)
    .max(1000)
    .transform((list) => Object.fromEntries(list.map(pair))),
]);

function pair(text: string): readonly [string, string] {
  const at = text.indexOf('=');
  return at === -1 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** `name:address` lines. */
export const hosts = z.union([
  z.record(z.string(), scalar).transform((map) => Object.entries(map).map(([name, address]) => `${name}:${address}`)),
  z
    .array(longText)
    .max(1000)
    .transform((list) => list.map((line) => line.replace('=', ':'))),
]);
