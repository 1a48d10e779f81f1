// What HAProxy serves for a scope, as HAProxy itself tells it.

import type { Scope } from '../../../../core/scope.ts';
import { generationOf, isMapFile, proxyName, proxyPrefix } from '../config/names.ts';
import { decidingKey, type Head, headOf, recordIn, type RoutesRecord } from '../config/record.ts';
import {
  infoValue,
  mapContents,
  mapFiles,
  refused,
  type ServerState,
  serverStates,
  type StatRow,
  statRows,
} from './replies.ts';
import type { RuntimeSession } from './session.ts';

export interface RunningState {
  /** Of the configuration that HAProxy has loaded. */
  readonly generation: string;
  /** The map's name in orders: its file, as it was called when HAProxy loaded it. */
  readonly map: string;
  readonly entries: ReadonlyMap<string, string>;
  readonly head: Head | undefined;
  readonly record: RoutesRecord | undefined;
}

/** Whether this process was replaced or is being ended: it may answer for a while, and what came after it it does not know. */
export async function isLeaving(session: RuntimeSession): Promise<boolean> {
  return infoValue(await session.command('show info'), 'Stopping') === '1';
}

/** Undefined where HAProxy has loaded nothing of this scope. `known`: the map that it had before; asked for without waiting for its name. */
export async function readRunning(
  session: RuntimeSession,
  scope: Scope,
  known?: string,
): Promise<RunningState | undefined> {
  const [list = '', contents] = await session.commands([
    'show map',
    ...(known === undefined ? [] : [`show map ${known}`]),
  ]);
  const map = mapFiles(list).find((file) => generationOf(scope, file) !== undefined);
  if (map === undefined) return undefined;
  const order = `show map ${map}`;
  const text = map === known && contents !== undefined ? contents : await session.command(order);
  const entries = mapContents(order, text);
  return {
    generation: generationOf(scope, map) ?? '',
    map,
    entries,
    head: headOf(entries.get(decidingKey)),
    record: recordIn(entries),
  };
}

/** The entries of each map that HAProxy loaded from a directory, of whichever scope, as far as they can be read. `directory`: as HAProxy sees it. */
export async function readMaps(
  session: RuntimeSession,
  directory: string,
): Promise<readonly Pick<RunningState, 'map' | 'entries'>[]> {
  const maps = mapFiles(await session.command('show map')).filter(
    (file) => isMapFile(file) && file.slice(0, file.lastIndexOf('/')) === directory,
  );
  const orders = maps.map((map) => `show map ${map}`);
  const answers = orders.length === 0 ? [] : await session.commands(orders);
  return maps.flatMap((map, index) => {
    try {
      return [{ map, entries: mapContents(orders[index] ?? '', answers[index] ?? '') }];
    } catch {
      // Changed by hand in a way of its own: that of one scope must not keep the others from anything.
      return [];
    }
  });
}

/** All servers of the scope, by name. */
export async function readServers(session: RuntimeSession, scope: Scope): Promise<ReadonlyMap<string, ServerState>> {
  const order = 'show servers state';
  const states = serverStates(order, await session.command(order));
  const prefix = `${proxyName(scope)}.`;
  return new Map(states.filter(({ backend }) => backend.startsWith(prefix)).map((state) => [state.name, state]));
}

const frontends = 1;
const servers = 4;

/** Requests and upgraded connections on each server of the scope, and those that wait for it, by the server's name. */
export async function readInFlight(session: RuntimeSession, scope: Scope): Promise<ReadonlyMap<string, number>> {
  const order = `show stat -1 ${servers} -1`;
  const prefix = `${proxyName(scope)}.`;
  const rows = statRows(order, await session.command(order)).filter(({ proxy }) => proxy.startsWith(prefix));
  return new Map(rows.map((row) => [row.name, row.number('scur') + row.number('qcur')]));
}

/** The row of the scope's frontend; undefined where it is not loaded. */
export async function readFrontend(session: RuntimeSession, scope: Scope): Promise<StatRow | undefined> {
  const order = `show stat -1 ${frontends} -1`;
  const name = proxyName(scope);
  return statRows(order, await session.command(order)).find(({ proxy }) => proxy === name);
}

/** Client connections of all scopes. */
export async function openConnections(session: RuntimeSession): Promise<number> {
  const order = `show stat -1 ${frontends} -1`;
  const rows = statRows(order, await session.command(order)).filter(({ proxy }) => proxy.startsWith(proxyPrefix));
  return rows.reduce((sum, row) => sum + row.number('scur'), 0);
}

const statusClasses = ['1xx', '2xx', '3xx', '4xx', '5xx', 'other'];

/** Requests that the scope's frontend finished since HAProxy started; it counts each as it writes its line for the feed. */
export async function finishedRequests(session: RuntimeSession, scope: Scope): Promise<number> {
  const row = await readFrontend(session, scope);
  return statusClasses.reduce((sum, name) => sum + (row?.number(`hrsp_${name}`) ?? 0), 0);
}

/** Orders that HAProxy answers with nothing when it has done them. */
export async function mustBeSilent(session: RuntimeSession, orders: readonly string[]): Promise<void> {
  if (orders.length === 0) return;
  const answers = await session.commands(orders);
  for (const [index, answer] of answers.entries()) {
    if (answer.trim() !== '') throw refused(orders[index] ?? '', answer);
  }
}
