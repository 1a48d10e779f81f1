// Takes a scope out of the HAProxy that runs.

import { Failure } from '../../../../base/failure.ts';
import type { RuntimeSession } from '../runtime/session.ts';
import { readFrontend } from '../runtime/state.ts';
import { type Installation, pollMs, reloadMs, reloadTo } from './change.ts';
import { ScopeFiles } from './files.ts';
import { checkConfiguration } from './install.ts';

/**
 * Rejects with `router.refused` and HAProxy's own words where it does not take what is left; then everything is as it was. The
 * maps stay for as long as a configuration that names them may have to come back.
 */
export async function takeOut(installation: Installation, session: RuntimeSession): Promise<void> {
  await checkConfiguration(installation, undefined);
  const files = new ScopeFiles(installation.spec.directory, installation.scope);
  const former = await files.read();
  await reloadTo(installation, session, {
    make: () => files.restore(undefined),
    takeBack: () => files.restore(former),
    isLoaded: (state) => state === undefined,
  });
  await stopped(installation, session);
}

/** The process that was replaced gives its addresses up only when the new one answers already. `session`: to that process. */
async function stopped({ scope, clock, signal }: Installation, session: RuntimeSession): Promise<void> {
  for (let waited = 0; waited < reloadMs; waited += pollMs) {
    if (!(await listens(session, scope))) return;
    await clock.sleep(pollMs, signal);
    signal?.throwIfAborted();
  }
  throw new Failure(
    'router.refused',
    `HAProxy’s former process still listens for this service ${reloadMs / 1000} s after it was replaced.`,
    { at: 'router.haproxy.reload', remedy: 'Look whether `grace` in `global` makes it wait; it ends by itself.' },
  );
}

async function listens(session: RuntimeSession, scope: Installation['scope']): Promise<boolean> {
  try {
    const frontend = await readFrontend(session, scope);
    return frontend !== undefined && frontend.text('status') !== 'STOP';
  } catch (error) {
    // It has ended.
    if (error instanceof Failure && error.code === 'router.unreachable') return false;
    throw error;
  }
}
