// `router.haproxy`: a HAProxy that runs already, which Sluice gives a part of its configuration and then its orders.

import * as z from 'zod';
import type { Address } from '../../core/instance.ts';
import { words } from '../words.ts';
import { listenAddress, remoteAddress } from './address.ts';
import { oneKind, settings } from './settings.ts';
import { command, duration, flag, text } from './values.ts';

const socketMessage = words(
  'is neither a path nor an address',
  'Write the path of HAProxy’s stats socket, such as /run/haproxy/admin.sock, or 127.0.0.1:9999.',
);

/** A path, or host and port; what has a slash is a path. */
const socket = z
  .string({ error: socketMessage })
  .max(4096, { error: socketMessage })
  .transform((given, context): { readonly path: string } | Address => {
    if (/^[^\0\n\r]*\/[^\0\n\r]*$/.test(given)) return { path: given };
    const address = remoteAddress('127.0.0.1:9999').safeParse(given);
    if (address.success) return address.data;
    context.addIssue({ code: 'custom', message: socketMessage });
    return z.NEVER;
  })
  .meta({ title: 'path or host:port', examples: ['/run/haproxy/admin.sock', '127.0.0.1:9999'] });

const limits = settings({
  idle: duration({ leastMs: 100, mostMs: 86_400_000 }).prefault('60s').describe('How long a client may be silent.'),
  answer: duration({ leastMs: 100, mostMs: 86_400_000 })
    .prefault('60s')
    .describe('How long an instance may be silent while it owes an answer.'),
}).meta({ id: 'HaproxyLimits' });

const reload = oneKind(
  'way to reload HAProxy',
  {
    pidFile: text('/run/haproxy.pid').describe(
      'The file with the process id of HAProxy’s master, which gets a signal.',
    ),
    container: text('lb', 255).describe('The container that HAProxy runs in, which gets a signal by `docker kill`.'),
    command: command().describe('A command, such as `systemctl reload haproxy`.'),
  },
  '{ command: systemctl reload haproxy }',
).meta({ id: 'HaproxyReload' });

export const haproxySchema = settings({
  listen: listenAddress('0.0.0.0', 8080).describe(
    'Where users reach the service through HAProxy: a port (on all addresses), or `host:port`.',
  ),
  preview: listenAddress('127.0.0.1', 8081)
    .optional()
    .describe('Where the release on trial can be seen before it has traffic: a port (on 127.0.0.1), or `host:port`.'),
  directory: text('/etc/haproxy/sluice').describe(
    'A directory of Sluice’s own, that HAProxy was started with as its last `-f`.',
  ),
  socket: socket.describe('HAProxy’s Runtime API: a `stats socket` of the level admin.'),
  reload: reload.describe('How HAProxy is asked to load its configuration anew; not used to move traffic.'),
  check: command()
    .optional()
    .describe(
      'Checks a configuration before a reload, with `{directory}` in place of Sluice’s directory. Left out: as HAProxy was started, where that can be seen.',
    ),
  feed: listenAddress('127.0.0.1', 5140)
    .prefault(5140)
    .describe('UDP port where Sluice listens for HAProxy’s log; one for each service and environment.'),
  feedReach: remoteAddress('172.17.0.1:5140')
    .optional()
    .describe('The address at which HAProxy reaches that port, where it is another: from inside a container.'),
  limits: limits.prefault({}).describe('Time limits of HAProxy for this service.'),
  trustForwarded: flag()
    .prefault(false)
    .describe('Believe `X-Forwarded-*` of whoever connects. Only where HAProxy stands behind another proxy.'),
}).meta({ id: 'HaproxyRouter' });
