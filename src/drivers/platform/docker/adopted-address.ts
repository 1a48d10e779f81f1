// Where a container that Compose started is reached from this machine.

import type { Address } from '../../../core/instance.ts';
import type { Container } from './answers.ts';

const everywhere = new Set(['', '0.0.0.0', '::']);

/** At its published port, or else at its own address on a network of the engine; undefined: at neither. */
export function adoptedAddress({ NetworkSettings }: Container, inside: number): Address | undefined {
  const [published] = NetworkSettings?.Ports?.[`${inside}/tcp`] ?? [];
  if (published !== undefined) {
    const host = published.HostIp ?? '';
    return { host: everywhere.has(host) ? '127.0.0.1' : host, port: Number(published.HostPort) };
  }
  const own = Object.values(NetworkSettings?.Networks ?? {}).find((network) => (network?.IPAddress ?? '') !== '');
  return own?.IPAddress === undefined ? undefined : { host: own.IPAddress, port: inside };
}
