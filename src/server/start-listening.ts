// Starts a server and waits until it listens or cannot.

import type { ListenOptions, Server } from 'node:net';

/** Rejects with the system's error. */
export function startListening(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
