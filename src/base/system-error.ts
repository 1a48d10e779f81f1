// Errors of the operating system, and their translation to failures.

import { Failure } from './failure.ts';

/** Whether something thrown is a system error with this code, such as `ENOENT`. */
export function isCode(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.includes(String(thrown.code));
}

/** An error of a file operation as `disk.full` or `disk.failed`; failures, aborts and defects stay what they are. */
export function diskFailure(thrown: unknown, path: string): unknown {
  if (thrown instanceof Failure || !isSystemError(thrown)) return thrown;
  if (isCode(thrown, 'ENOSPC', 'EDQUOT')) {
    return new Failure('disk.full', 'The disk is full.', {
      at: path,
      remedy: 'Free space (`sluice prune` removes old releases), then try again.',
      cause: thrown,
    });
  }
  return new Failure('disk.failed', `A file could not be read or written: ${thrown.message}.`, {
    at: path,
    remedy: 'Check the path and its permissions.',
    cause: thrown,
  });
}

/** System errors have a text as their code; defects have none, and an abort has a number. */
function isSystemError(thrown: unknown): thrown is Error {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string';
}
