// One TCP connection, closed as soon as it is made.

import { connect as open } from 'node:net';
import { type Address, addressName } from '../../../core/instance.ts';
import type { NoAnswer } from '../../../core/validation/answer.ts';
import { networkProblem } from '../../../base/network-problem.ts';

export async function connect(address: Address, signal: AbortSignal): Promise<NoAnswer | undefined> {
  signal.throwIfAborted();
  const { promise, resolve } = Promise.withResolvers<NoAnswer | undefined>();
  const socket = open({ host: address.host, port: address.port });
  const onAbort = (): void => {
    socket.destroy();
    resolve(undefined);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  socket.once('connect', () => resolve(undefined));
  // Stays for good: an error may still come while the socket is being closed.
  socket.on('error', (error) => resolve({ kind: 'none', reason: networkProblem(error, addressName(address)) }));
  try {
    const refused = await promise;
    signal.throwIfAborted();
    return refused;
  } finally {
    signal.removeEventListener('abort', onAbort);
    socket.destroy();
  }
}
