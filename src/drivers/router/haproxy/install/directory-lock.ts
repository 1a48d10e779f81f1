// One controller at a time changes what HAProxy loads from a directory, whichever scope it is about: a reload takes all of them along.

import { join } from 'node:path';

import { Failure } from '../../../../base/failure.ts';
import { withFileLock } from '../../../../base/file-lock.ts';
import type { Clock } from '../../../../ports/clock.ts';
import { directoryFailure } from './directory-failure.ts';
import { type LockHolder, lockHolder } from './lock-holder.ts';

/** Whoever stopped a controller in a terminal by mistake has let it go on by then; by itself it does not. */
const stoppedMs = 10_000;
/** A controller that goes on is through by then, and several that wait in a row with it, unless HAProxy or a program hangs. */
const busyMs = 300_000;
const lookEveryMs = 1_000;

/**
 * Nobody goes on without the lock, not even to move traffic back: HAProxy cannot be asked to change something only if nothing
 * else was changed, so that a controller that thaws would put its older routes, and files of theirs without their map, over those
 * of whoever went ahead. Instead the wait is bounded: rejects with `router.unreachable`, which names who has the lock, so that a
 * person can end it; whoever may try again does.
 */
export async function withDirectoryLock<T>(
  directory: string,
  clock: Clock,
  act: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const path = join(directory, '.sluice.lock');
  let lookAtMs = stoppedMs;
  let had: { readonly pid: number | undefined; readonly sinceMs: number } | undefined;
  const whileWaiting = async (waitedMs: number): Promise<void> => {
    if (waitedMs < lookAtMs) return;
    lookAtMs = waitedMs + lookEveryMs;
    const holder = await lockHolder(path);
    // Nobody is told to end this very process.
    if (holder?.pid === process.pid) return;
    // One after the other may have it; the time of each counts by itself.
    if (holder?.pid !== had?.pid) had = { pid: holder?.pid, sinceMs: had === undefined ? 0 : waitedMs };
    const hasItMs = waitedMs - (had?.sinceMs ?? 0);
    if (hasItMs >= (holder?.isStopped === true ? stoppedMs : busyMs)) throw held(path, holder, waitedMs);
  };
  const failure = (error: unknown): unknown => directoryFailure(error, directory);
  return withFileLock({ path, clock, failure, whileWaiting }, act, signal);
}

function held(path: string, holder: LockHolder | undefined, waitedMs: number): Failure {
  const waited = `after ${Math.round(waitedMs / 1000)} s of waiting`;
  if (holder === undefined) {
    return new Failure(
      'router.unreachable',
      `Another controller is in the middle of a change of HAProxy and does not come to its end, ${waited}.`,
      {
        at: path,
        remedy: 'Find the `sluice` that stands still, such as with `lsof`, and end it: that frees the lock.',
      },
    );
  }
  const { pid, isStopped } = holder;
  return new Failure(
    'router.unreachable',
    isStopped
      ? `The controller ${pid} was stopped in the middle of a change of HAProxy, and still has its lock ${waited}.`
      : `The controller ${pid} is in the middle of a change of HAProxy and does not come to its end, ${waited}.`,
    {
      at: path,
      remedy: isStopped
        ? `Let it go on (\`kill -CONT ${pid}\`), or end it (\`kill -9 ${pid}\`): that frees the lock.`
        : `Look what it waits for; to end it (\`kill -9 ${pid}\`) frees the lock.`,
      details: { holder: pid },
    },
  );
}
