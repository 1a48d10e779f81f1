// One upstream per set of servers.

import type { Part } from './render.ts';

/** Idle connections that each worker keeps to a set of servers. */
const idleConnections = 64;

export function upstreams({ model, prefix }: Part): readonly string[] {
  return model.slots.flatMap(({ id, servers }) => [
    `upstream ${prefix}_${id} {`,
    // Shared by the workers, so that servers take turns and failures are known to all.
    `  zone ${prefix}_${id} ${zoneKilobytes(servers.length)}k;`,
    ...servers.map((server) => `  server ${server} max_fails=2 fail_timeout=1s;`),
    `  keepalive ${idleConnections};`,
    '  keepalive_requests 100000;',
    // Shorter than instances keep them, so that no request meets a connection that is just being closed; a drain waits for it too.
    `  keepalive_timeout ${idleMs}ms;`,
    '}',
    '',
  ]);
}

function zoneKilobytes(servers: number): number {
  return 64 + 4 * servers;
}

/** How long a connection to an instance is kept without a request. */
export const idleMs = 1000;
