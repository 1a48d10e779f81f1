// A server on real sockets for a test, closed when the test ends.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { silentLog } from '../../src/base/log.ts';
import { type Client, createClient } from '../../src/client/client.ts';
import type { Controller } from '../../src/engine/controller.ts';
import { type App, createApp } from '../../src/server/app.ts';
import { createDesk } from '../../src/server/desk.ts';
import { type Listening, listen } from '../../src/server/listen.ts';

export const noMetrics = { mediaType: 'text/plain', text: async () => 'no metrics\n' };

export function appOf(controller: Controller, token?: string): App {
  return createApp({ desk: createDesk(controller), token, metrics: noMetrics, log: silentLog });
}

/** The path of a file in a new folder that is removed when the test ends. */
export function temporaryPath(context: TestContext, name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-wire-'));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, name);
}

export interface Served {
  readonly listening: Listening;
  readonly url: string;
  readonly socket: string;
  /** A client of each way to the server. */
  readonly clients: Readonly<Record<'process' | 'socket' | 'tcp', Client>>;
}

export async function serve(context: TestContext, controller: Controller, token?: string): Promise<Served> {
  const app = appOf(controller, token);
  const socket = temporaryPath(context, 'run/sluice.sock');
  const listening = await listen({ app, unixSocket: socket, port: 0 });
  const url = listening.addresses[0] ?? '';
  const clients = {
    process: createClient({ desk: createDesk(controller) }),
    socket: createClient({ socket }),
    tcp: createClient({ url, token }),
  };
  context.after(async () => {
    await Promise.all(Object.values(clients).map((client) => client.close()));
    await listening.close();
  });
  return { listening, url, socket, clients };
}
