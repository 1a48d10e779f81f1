// Gives HAProxy a configuration that only a reload brings into force, and makes sure by asking HAProxy that it did.

import { Failure } from '../../../../base/failure.ts';
import type { HaproxyRouterSpec } from '../../../../core/plan/spec.ts';
import type { Scope } from '../../../../core/scope.ts';
import type { Clock } from '../../../../ports/clock.ts';
import { generationName, type Layout } from '../config/layout.ts';
import { decidingKey, decidingLine, digestOf, type RoutesRecord } from '../config/record.ts';
import { openSession, type RuntimeSession } from '../runtime/session.ts';
import { readFrontend, readRunning, type RunningState } from '../runtime/state.ts';
import { LiveMap } from '../runtime/switch.ts';
import { ScopeFiles } from './files.ts';
import type { Loader } from './loader.ts';
import { askToReload, reloadRefused } from './reload.ts';
import { runCommand } from './run-command.ts';

export interface Installation {
  readonly spec: HaproxyRouterSpec;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly loader: Loader;
  /** The process that answers the Runtime API. */
  readonly worker: number;
  readonly signal?: AbortSignal | undefined;
}

const reloadMs = 15_000;
/** A master that is just starting, or reloading for somebody else, may miss that it was asked; to ask twice does no harm. */
const askAgainMs = 5_000;
const pollMs = 20;
const answerMs = 2_000;

/** Rejects with `router.refused` and HAProxy's own words where it does not take the configuration; then everything is as it was. */
export async function install(
  installation: Installation,
  layout: Layout,
  record: RoutesRecord,
  session: RuntimeSession,
  running: RunningState | undefined,
): Promise<void> {
  await checkConfiguration(installation, layout, record);
  const { spec, scope, loader, worker, signal } = installation;
  const files = new ScopeFiles(spec.directory, scope);
  const former = await files.read();
  const formerLayout = await files.layout();
  if (running !== undefined && formerLayout !== undefined)
    await askToClose(installation, session, running, formerLayout);
  try {
    await files.write(layout, record, loader.directory);
    await askToReload(spec.reload, worker, signal);
    await loaded(installation, layout, record);
  } catch (error) {
    await files.restore(former);
    if (running?.record !== undefined && formerLayout !== undefined) {
      await new LiveMap(session, running).put([[decidingKey, decidingLine(running.record, formerLayout, false)]]);
    }
    throw error;
  }
}

/** Rejects with `router.refused` and HAProxy's own words. Changes nothing. */
export async function checkConfiguration(
  { spec, scope, loader, signal }: Installation,
  layout: Layout,
  record: RoutesRecord,
): Promise<void> {
  const { checkCommand, cwd } = loader;
  if (checkCommand === undefined) {
    throw new Failure(
      'router.setup',
      'Sluice cannot see how HAProxy was started, and so not check a configuration for it.',
      {
        at: 'router.haproxy.check',
        remedy: 'Write the command, such as check: [haproxy, -c, -f, /etc/haproxy/haproxy.cfg, -f, "{directory}"].',
      },
    );
  }
  const files = new ScopeFiles(spec.directory, scope);
  const ran = await files.rehearse(layout, record, loader.directory, (directory) =>
    runCommand(checkCommand(directory), { cwd, signal }),
  );
  if (ran.ok) return;
  throw new Failure('router.refused', `HAProxy does not take its configuration: ${alerts(ran.words)}`, {
    at: 'router.haproxy',
    remedy: 'Nothing was changed. Correct what HAProxy names, then try again.',
  });
}

/** HAProxy says much on the way to what is wrong. */
function alerts(words: string): string {
  const lines = words.split('\n').filter((line) => line.trim() !== '');
  const wrong = lines.filter((line) => line.startsWith('[ALERT]'));
  return (wrong.length > 0 ? wrong : lines).join('\n') || 'it said nothing';
}

const closeMs = 3_000;

/**
 * From now on every answer asks the client to close its connection, so that the reload meets few that are open: the process
 * that leaves closes those that are idle.
 */
async function askToClose(
  { scope, clock, signal }: Installation,
  session: RuntimeSession,
  running: RunningState,
  layout: Layout,
): Promise<void> {
  if (running.record === undefined) return;
  await new LiveMap(session, running).put([[decidingKey, decidingLine(running.record, layout, true)]]);
  for (let waited = 0; waited < closeMs; waited += 100) {
    if (((await readFrontend(session, scope))?.number('scur') ?? 0) === 0) return;
    await clock.sleep(100, signal);
    signal?.throwIfAborted();
  }
}

/** Asks until the answers come from a process that has loaded the configuration. */
async function loaded(installation: Installation, layout: Layout, record: RoutesRecord): Promise<void> {
  const { spec, scope, clock, worker, signal } = installation;
  const generation = generationName(layout);
  const isOld = 'it goes on with the configuration that it had';
  let seen = 'it does not answer any more';
  for (let waited = 0; waited < reloadMs; waited += pollMs) {
    const running = await answering(installation, scope);
    if (running !== undefined) {
      const there = running.state?.generation === generation && running.state.head?.digest === digestOf(record.routes);
      if (there && running.state?.head?.revision === record.routes.revision) return;
      seen = isOld;
    }
    // Where that cannot be done any more, the end of the wait tells what is wrong.
    if (waited === askAgainMs && seen === isOld) await askToReload(spec.reload, worker, signal).catch(() => undefined);
    await clock.sleep(pollMs, signal);
    signal?.throwIfAborted();
  }
  throw reloadRefused(`${seen} ${reloadMs / 1000} s after it was asked to reload.`);
}

async function answering(
  { spec, signal }: Installation,
  scope: Scope,
): Promise<{ readonly state: RunningState | undefined } | undefined> {
  let session: RuntimeSession | undefined;
  try {
    session = openSession(spec.socket, { timeoutMs: answerMs, signal });
    return { state: await readRunning(session, scope) };
  } catch (error) {
    // While processes change places there may be nobody for a moment.
    if (error instanceof Failure && error.code === 'router.unreachable') return undefined;
    throw error;
  } finally {
    session?.close();
  }
}
