// Placeholders in questions: `{{release}}`, `{{service}}`, `{{environment}}` and `{{window}}`.

import type { QuestionValues } from './question.ts';

export const placeholderNames = ['release', 'service', 'environment', 'window'] as const;

export type PlaceholderName = (typeof placeholderNames)[number];

/** Anything in double braces, so that a mistyped name is found rather than sent. */
const shape = /\{\{\s*([^{}]*?)\s*\}\}/g;

export function valueOf(name: PlaceholderName, values: QuestionValues): string {
  return name === 'window' ? `${values.windowSeconds}s` : values[name];
}

export function isPlaceholder(name: string): name is PlaceholderName {
  return (placeholderNames as readonly string[]).includes(name);
}

/** Puts values in, each as `write` gives it; names that are none stay as they are. */
export function fill(text: string, values: QuestionValues, write: (value: string) => string): string {
  return text.replaceAll(shape, (whole, name: string) => (isPlaceholder(name) ? write(valueOf(name, values)) : whole));
}

/** Names in double braces that are no placeholders. */
export function unknownPlaceholders(text: string): readonly string[] {
  return [...text.matchAll(shape)].map((match) => match[1] ?? '').filter((name) => !isPlaceholder(name));
}
