// The single values of the schema: durations, percentages, sizes, whole numbers, texts, paths, addresses and commands.

import * as z from 'zod';
import { formatDuration, parseDuration } from '../../base/duration.ts';
import { splitCommand } from '../command.ts';
import { parsePercentage, parseRate, parseSize } from '../units.ts';
import { words } from '../words.ts';

const dayMs = 86_400_000;

/** Timers hold at most 2^31 ms, some 24 days; nothing that is waited for may be longer. */
const longestMs = 20 * dayMs;

interface Unit {
  readonly name: string;
  readonly example: string;
  readonly pattern: string;
  /** How a bare number was probably meant. */
  readonly likely: (amount: number) => string;
  readonly parse: (text: string) => number | undefined;
  /** What is wrong with the amount, where something is. */
  readonly limit?: ((amount: number) => string | undefined) | undefined;
}

function withUnit(unit: Unit) {
  const problem = `is not ${unit.name}`;
  const remedy = `Write it with its unit, such as ${unit.example}.`;
  return z
    .string({
      error: ({ input }) => words(problem, typeof input === 'number' ? `Add the unit: ${unit.likely(input)}.` : remedy),
    })
    .transform((text, context) => {
      const amount = unit.parse(text);
      const message = amount === undefined ? words(problem, remedyFor(text, unit, remedy)) : unit.limit?.(amount);
      if (amount !== undefined && message === undefined) return amount;
      context.addIssue({ code: 'custom', message: message ?? words(problem, remedy) });
      return z.NEVER;
    })
    .meta({ title: unit.name.replace(/^an? /, ''), pattern: unit.pattern, examples: [unit.example] });
}

function remedyFor(text: string, unit: Unit, remedy: string): string {
  return /^\d+(\.\d+)?$/.test(text) ? `Add the unit: ${unit.likely(Number(text))}.` : remedy;
}

/** Milliseconds. */
export function duration(bounds: { readonly leastMs?: number; readonly mostMs?: number } = {}) {
  const { leastMs = 0, mostMs = longestMs } = bounds;
  const remedy = `Write ${leastMs > 0 ? `between ${formatDuration(leastMs)} and` : 'at most'} ${formatDuration(mostMs)}.`;
  return withUnit({
    name: 'a duration',
    example: '30s',
    pattern: String.raw`^(\d+(\.\d+)?(ms|s|m|h|d))+$`,
    likely: (amount) => `${amount}s for seconds, ${amount}ms for milliseconds`,
    parse: (text) => wholeMs(text),
    limit: (ms) => {
      if (ms > mostMs) return words('is too long', remedy);
      return ms < leastMs ? words('is too short', remedy) : undefined;
    },
  });
}

/** Beyond 40 characters no duration is meant; parts of a millisecond are rounded. */
function wholeMs(text: string): number | undefined {
  const ms = text.length > 40 ? undefined : parseDuration(text);
  return ms === undefined ? undefined : Math.round(ms);
}

/** A fraction: 0.01 for `1%`. */
export function percentage(most = 1) {
  return withUnit({
    name: 'a percentage',
    example: '5%',
    pattern: String.raw`^\d+(\.\d+)? ?%$`,
    likely: (amount) => `${amount}%${amount > 0 && amount < 1 ? ` (or ${Number((amount * 100).toFixed(4))}%)` : ''}`,
    parse: parsePercentage,
    limit: (fraction) => (fraction > most ? words('is too much', `Write at most ${most * 100}%.`) : undefined),
  });
}

/** Basis points of traffic, above 0: 100 for `1%`. */
export function share() {
  return withUnit({
    name: 'a share of traffic',
    example: '10%',
    pattern: String.raw`^\d+(\.\d{1,2})? ?%$`,
    likely: (amount) => `${amount}%`,
    parse: (text) => {
      const fraction = parsePercentage(text);
      return fraction === undefined ? undefined : Number((fraction * 10_000).toFixed(6));
    },
    limit: (points) => {
      if (points <= 0 || points > 10_000) return words('is no share', 'Write more than 0% and at most 100%.');
      return Number.isInteger(points) ? undefined : words('is too fine', 'Write steps of 0.01%.');
    },
  });
}

/** Bytes. */
export function size(bounds: { readonly least: string; readonly most: string }) {
  const least = parseSize(bounds.least) ?? 0;
  const most = parseSize(bounds.most) ?? Number.MAX_SAFE_INTEGER;
  return withUnit({
    name: 'a size',
    example: bounds.least,
    pattern: String.raw`^\d+(\.\d+)? ?(B|[KMGT]iB|[kKMGT]B)$`,
    likely: (amount) => `${amount}MiB, ${amount}KiB or ${amount}B`,
    parse: parseSize,
    limit: (bytes) =>
      bytes < least || bytes > most ? words('is out of range', `Write ${bounds.least} to ${bounds.most}.`) : undefined,
  });
}

/** Requests per second. */
export function rate() {
  return withUnit({
    name: 'a rate',
    example: '10/s',
    pattern: String.raw`^\d+(\.\d+)? ?/ ?[smh]$`,
    likely: (amount) => `${amount}/s for requests per second, ${amount}/m per minute`,
    parse: parseRate,
  });
}

export function whole(least: number, most: number) {
  const message = words('is not a whole number that fits here', `Write a number from ${least} to ${most}.`);
  return z.int({ error: message }).min(least, { error: message }).max(most, { error: message });
}

/** `true` or `false`. */
export function flag() {
  return z.boolean({ error: words('is neither true nor false', 'Write true or false.') });
}

/** One line of text with something in it. */
export function text(example: string, most = 4096) {
  return z
    .string({ error: ({ input }) => words('is not text', textRemedy(input, example)) })
    .min(1, { error: words('is empty', `Write text, such as ${example}.`) })
    .max(most, { error: words('is too long', `Write at most ${most} characters.`) })
    .refine((value) => !hasControl(value), { error: words('holds a control character or line break', 'Remove it.') });
}

function textRemedy(input: unknown, example: string): string {
  const scalar = typeof input === 'number' || typeof input === 'boolean';
  return scalar ? 'Put it in quotes.' : `Write text, such as ${example}.`;
}

export function hasControl(value: string): boolean {
  // oxlint-disable-next-line eslint/no-control-regex -- finding them is the purpose
  return /[\u0000-\u001f\u007f]/.test(value);
}

/** A lower-case name that is safe in ids, file names and labels. */
export function slug(example: string) {
  const message = words(
    'is not a usable name',
    `Write lower-case letters, digits and dashes, at most 63, such as ${example}.`,
  );
  return z.string({ error: message }).regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, { error: message });
}

/** Path and query of a request. */
export function requestPath(example: string) {
  const message = words('is not a request path', `Begin it with a slash, without spaces: ${example}.`);
  return z
    .string({ error: message })
    .max(2048, { error: message })
    .regex(/^\/[^\s#]*$/, { error: message })
    .meta({ title: 'path', examples: [example] });
}

/** A command as one text or as a list; the program comes first. */
export function command() {
  const remedy = 'Write a command such as node server.js, or a list such as ["node", "server.js"].';
  const word = z
    .string({ error: words('is not text', 'Put it in quotes.') })
    .max(32_768, { error: words('is too long', 'Write at most 32768 characters.') })
    .refine((value) => !value.includes('\0'), { error: words('holds a NUL character', 'Remove it.') });
  const line = z
    .string({ error: words('is not a command', remedy) })
    .max(32_768, { error: words('is too long', 'Write at most 32768 characters.') })
    .transform((value, context): readonly string[] => {
      const split = splitCommand(value);
      if (split.kind === 'words') return split.words;
      context.addIssue({ code: 'custom', message: words(split.problem, split.remedy) });
      return z.NEVER;
    });
  const list = z
    .array(word, { error: words('is not a command', remedy) })
    .min(1, { error: words('names no program', remedy) })
    .max(1000, { error: words('is too long', 'Write at most 1000 words.') })
    .refine((value) => value[0] !== '', { error: words('names no program', remedy) });
  return z.union([line, list]).meta({ title: 'command', examples: ['node server.js', ['node', 'server.js']] });
}
