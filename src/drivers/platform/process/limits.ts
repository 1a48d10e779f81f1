// Limits of an instance, by `prlimit` of util-linux, which sets them on itself and then becomes the program.

import { readFile } from 'node:fs/promises';
import { Failure } from '../../../base/failure.ts';
import type { RunLimits } from '../../../core/release.ts';
import { findProgram } from './executable.ts';

interface Limit {
  readonly setting: keyof RunLimits;
  readonly option: string;
  /** The line of /proc/self/limits. */
  readonly line: string;
}

const limits: readonly Limit[] = [
  { setting: 'memoryBytes', option: '--data', line: 'Max data size' },
  { setting: 'openFiles', option: '--nofile', line: 'Max open files' },
];

/** What stands before the program in the argument array: nothing without limits. Rejects with `plan.unsupported`. */
export async function limitArguments(wanted: RunLimits, path: string): Promise<readonly string[]> {
  const set = limits.filter(({ setting }) => wanted[setting] !== undefined);
  const [first] = set;
  if (first === undefined) return [];
  const program = await findProgram('prlimit', '/usr/bin', path).catch((error: unknown) => {
    throw unsupported(first, 'needs the program prlimit (package util-linux), which this system does not have', error);
  });
  const own = await readFile('/proc/self/limits', 'utf8');
  const options = set.map((limit) => {
    const value = wanted[limit.setting] ?? 0;
    const highest = hardLimit(own, limit.line);
    if (value > highest) throw unsupported(limit, `asks for ${value}, but this system allows at most ${highest}`);
    return `${limit.option}=${value}`;
  });
  return [program, ...options, '--'];
}

/** The hard limit in a line of /proc/<pid>/limits; Infinity for `unlimited`. */
export function hardLimit(text: string, line: string): number {
  const columns = text
    .split('\n')
    .find((each) => each.startsWith(line))
    ?.slice(line.length)
    .trim()
    .split(/\s+/);
  const hard = columns?.[1];
  return hard === undefined || hard === 'unlimited' ? Infinity : Number(hard);
}

function unsupported(limit: Limit, why: string, cause?: unknown): Failure {
  return new Failure('plan.unsupported', `The limit ${limit.setting} ${why}.`, {
    at: `release.limits.${limit.setting}`,
    remedy: 'Remove or lower the limit, or install and configure what is named.',
    cause,
  });
}
