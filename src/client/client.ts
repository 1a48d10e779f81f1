// The typed client: asks a controller, wherever it runs, as if it were here.

import type { Desk } from '../api/desk.ts';
import type { Health } from '../api/protocol.ts';
import type { CallName, ItemOf, ReplyOf, RequestOf, StreamName } from '../api/routes.ts';
import type { Controller } from '../engine/controller.ts';
import { inProcess } from './in-process.ts';
import { type ServerAddress, transportTo } from './transport.ts';
import { Wire } from './wire.ts';

export type ClientOptions =
  /** A controller in this process. */
  | { readonly desk: Desk }
  | (ServerAddress & {
      /** Proves to the server that the person may ask. */
      readonly token?: string | undefined;
    });

/** How questions reach a controller, and answers come back: copies, however near it is. */
export interface Line {
  call<Name extends CallName>(name: Name, request: RequestOf<Name>, signal?: AbortSignal): Promise<ReplyOf<Name>>;
  stream<Name extends StreamName>(
    name: Name,
    request: RequestOf<Name>,
    signal: AbortSignal,
  ): AsyncGenerator<ItemOf<Name>>;
  health(): Promise<Health>;
  close(): Promise<void>;
}

/** All that can be asked of a controller. Ending the client ends nothing on the other side. */
export interface Client extends Omit<Controller, 'close'> {
  health(): Promise<Health>;
  /** Cuts what is still open. */
  close(): Promise<void>;
}

/**
 * Failures of the controller arrive as the same failures. Besides them: `server.unreachable` when nothing answers, or something that
 * is no Sluice server; `server.version` when it speaks another version; `server.unauthorized`. Streams end without an error when
 * their signal aborts; calls then reject with the signal's reason.
 */
export function createClient(options: ClientOptions): Client {
  const line: Line = 'desk' in options ? inProcess(options.desk) : new Wire(transportTo(options), options.token);
  return {
    plan: (request) => line.call('plan', request),
    deploy: (request) => line.call('deploy', request),
    planRollback: (request) => line.call('planRollback', request),
    rollback: (request) => line.call('rollback', request),
    command: (scope, command, { actor }) => line.call('command', { scope, command, actor }),
    status: (scope) => line.call('status', { scope }),
    history: (query) => line.call('history', query),
    detail: (deployment) => line.call('detail', { deployment }),
    stream: (query, signal) => line.stream('stream', query, signal),
    logs: (request, signal) => line.stream('logs', request, signal),
    validate: (request, signal) => line.call('validate', request, signal),
    prune: (request) => line.call('prune', request),
    remove: (request) => line.call('remove', request),
    health: () => line.health(),
    close: () => line.close(),
  };
}
