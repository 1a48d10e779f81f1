// Whether a proxy could serve with its settings, tried without changing anything.

import { createServer } from 'node:net';

import type { Address } from '../../../core/instance.ts';
import type { EmbeddedRouterSpec } from '../../../core/plan/spec.ts';
import { sameAddress } from '../../../core/same-address.ts';
import { listenFailure } from './proxy/listen-failure.ts';

/** Rejects with `port.taken`, `router.refused` or `router.certificate`. `running`: what this scope's proxy holds already. */
export async function checkSettings(
  wanted: EmbeddedRouterSpec,
  running: EmbeddedRouterSpec | undefined,
): Promise<void> {
  if (wanted.tls !== undefined) {
    // Loaded with the first certificate: Node's TLS takes longer than all else that a controller loads.
    const { readCertificate } = await import('./proxy/certificate.ts');
    await readCertificate(wanted.tls);
  }
  const ours = [running?.listen, running?.preview].filter((address) => address !== undefined);
  for (const address of [wanted.listen, wanted.preview]) {
    // The proxy gives an address of its own up where it stands in the new one's way.
    if (address !== undefined && !ours.some((own) => sameAddress(own, address))) await checkFree(address);
  }
}

function checkFree(address: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenFailure(address, error)));
    server.listen({ host: address.host, port: address.port }, () => server.close(() => resolve()));
  });
}
