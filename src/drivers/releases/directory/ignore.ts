// Which files of a source directory are not part of the release.

import { posix } from 'node:path';

/**
 * Patterns without a slash are names that are ignored at any depth (`.git`, `*.log`); those with one are paths from the root
 * (`node_modules/.cache`, `docs/**`). `*`, `**`, `?`, `[…]` and `{…}` are globs, which match a leading dot only where they say
 * it. An ignored directory is ignored with all that is in it.
 */
export function ignoring(patterns: readonly string[]): (path: string) => boolean {
  const tidy = patterns
    .map((pattern) => pattern.replace(/^\.?\//, '').replace(/\/+$/, ''))
    .filter((each) => each !== '');
  const isPath = (pattern: string): boolean => pattern.includes('/');
  const names = new Set(tidy.filter((pattern) => !isPath(pattern)));
  return (path) => {
    const name = posix.basename(path);
    if (names.has(name)) return true;
    return tidy.some((pattern) => posix.matchesGlob(isPath(pattern) ? path : name, pattern));
  };
}
