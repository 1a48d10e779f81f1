// Where a container is reached from this machine.

import type { Address } from '../../../core/instance.ts';
import type { Binding, Container } from './answers.ts';

const everywhere = new Set(['', '0.0.0.0', '::']);

/** `machine`: the address of the engine's. */
export function publishedAddress({ HostIp: host = '', HostPort }: Binding, machine: string): Address {
  return { host: everywhere.has(host) ? machine : host, port: Number(HostPort) };
}

/** At its published port, or else at its own address on a network of the engine; undefined: at neither. */
export function adoptedAddress({ NetworkSettings }: Container, inside: number, machine: string): Address | undefined {
  const [published] = NetworkSettings?.Ports?.[`${inside}/tcp`] ?? [];
  if (published !== undefined) return publishedAddress(published, machine);
  const own = Object.values(NetworkSettings?.Networks ?? {}).find((network) => (network?.IPAddress ?? '') !== '');
  return own?.IPAddress === undefined ? undefined : { host: own.IPAddress, port: inside };
}

/** Its address on this network. One that does not run has none, so it gets a name that never leads anywhere (RFC 2606). */
export function addressOn({ NetworkSettings }: Container, network: string | undefined): string {
  const own = NetworkSettings?.Networks?.[network ?? '']?.IPAddress;
  return own === undefined || own === '' ? 'not-running.invalid' : own;
}
