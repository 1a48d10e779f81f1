// Places of secrets, as a configuration writes them, to references.

import { resolve as resolvePath } from 'node:path';
import type * as z from 'zod';
import type { SecretReference } from '../base/secret-reference.ts';
import type { secret } from './schema/secret.ts';

type SecretSettings = z.output<typeof secret>;

/** Texts, and places of secrets, as they are written; paths become absolute. */
export function secretValues(
  given: Readonly<Record<string, string | SecretSettings>>,
  baseDirectory: string,
): Readonly<Record<string, string | SecretReference>> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : secretReference(value, baseDirectory),
    ]),
  );
}

export function secretReference(value: SecretSettings, baseDirectory: string): SecretReference {
  if (value.name === 'fromFile') return { fromFile: resolvePath(baseDirectory, value.settings) };
  return { fromEnvironment: value.settings };
}
