// Errors of the operating system, and their translation to failures.

import { Failure } from './failure.ts';

/** Whether something thrown is a system error with this code, such as `ENOENT`. */
export function isCode(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code));
}

/** A file operation that did not work, as `disk.full` or `disk.failed`; a failure stays what it is. */
export function diskFailure(thrown: unknown, path: string): Failure {
  if (thrown instanceof Failure) return thrown;
  if (isCode(thrown, 'ENOSPC', 'EDQUOT')) {
    return new Failure('disk.full', 'The disk is full.', {
      at: path,
      remedy: 'Free space (`sluice prune` removes old releases), then try again.',
      cause: thrown,
    });
  }
  const words = thrown instanceof Error ? thrown.message : String(thrown);
  return new Failure('disk.failed', `A file could not be read or written: ${words}.`, {
    at: path,
    remedy: 'Check the path and its permissions.',
    cause: thrown,
  });
}
