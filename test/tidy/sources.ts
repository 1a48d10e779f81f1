// The project's own source files, read once for the tests that hold its rules.

import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Source {
  /** From the project's root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  /** Files of the project that it imports, types included, by path from the root. */
  readonly imports: readonly string[];
  /** Packages that it imports, by name; `node:` modules included. */
  readonly packages: readonly string[];
}

export function sources(patterns: readonly string[]): readonly Source[] {
  return globSync([...patterns], { cwd: root, exclude: ['**/node_modules/**', 'dist/**'] })
    .toSorted()
    .map(read);
}

const importing =
  /(?:^|\n)\s*(?:import|export)\b[^'"`;]*?from\s*'([^']+)'|import\(\s*'([^']+)'\s*\)|(?:^|\n)import\s+'([^']+)'/g;

function read(path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const specifiers = [...text.matchAll(importing)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');
  const own = specifiers.filter((specifier) => specifier.startsWith('.'));
  return {
    path,
    text,
    imports: own.map((specifier) => relative(root, resolve(root, dirname(path), specifier))),
    packages: specifiers.filter((specifier) => !specifier.startsWith('.')),
  };
}
