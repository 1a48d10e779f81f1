// One controller at a time changes what HAProxy loads from a directory, whichever scope it is about: a reload takes all of them along.

import { join } from 'node:path';

import type { Clock } from '../../../../ports/clock.ts';
import { withFileLock } from '../../file-lock.ts';
import { directoryFailure } from './directory-failure.ts';

/** HAProxy cannot be asked to change something only if nothing else was changed, so this lock is waited for as long as it takes. */
export async function withDirectoryLock<T>(
  directory: string,
  clock: Clock,
  act: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const path = join(directory, '.sluice.lock');
  return withFileLock({ path, clock, failure: (error) => directoryFailure(error, directory) }, act, signal);
}
