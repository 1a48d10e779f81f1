// Why the proxy cannot have an address, and what to do about it.

import { Failure } from '../../../../base/failure.ts';
import { type Address, addressName } from '../../../../core/instance.ts';

export function listenFailure(address: Address, error: NodeJS.ErrnoException): Failure {
  const name = addressName(address);
  if (error.code === 'EADDRINUSE') {
    return new Failure('port.taken', `The address ${name} is in use by another program.`, {
      at: name,
      remedy: `Stop that program (\`ss -ltnp 'sport = :${address.port}'\` names it), or choose another port under \`listen\`.`,
      cause: error,
    });
  }
  const why = error.code === 'EACCES' ? 'ports below 1024 need a privilege' : (error.code ?? error.message);
  return new Failure('router.refused', `The proxy cannot listen on ${name}: ${why}.`, {
    at: name,
    remedy: 'Choose another address under `listen`, or allow the user that runs Sluice to use this one.',
    cause: error,
  });
}
