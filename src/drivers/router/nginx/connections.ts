// The connections that NGINX has to instances, as the kernel lists them; NGINX itself counts none of them by instance.

import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';

import type { Address } from '../../../core/instance.ts';

/** A table of the kernel with more than this is cut: it would hold more than 300,000 connections. */
const tableBytesMax = 64 * 1024 * 1024;
const established = '01';

/** That of IPv6 is not everywhere, so it comes first: where the other one is there, the first was read as far as it goes. */
export const tableFiles = ['/proc/net/tcp6', '/proc/net/tcp'] as const;

/** Of the machine that Sluice runs on. */
export async function ownTables(): Promise<string> {
  const tables = tableFiles.map((path) => readFile(path, 'latin1').catch(() => ''));
  return (await Promise.all(tables)).join('\n');
}

/** Whether this is what the kernel says, and not nothing because nobody could ask it. */
export function areTables(text: string): boolean {
  return /^\s*sl\s+local_address\s+rem_address\s/m.test(text);
}

/**
 * The connections to these addresses that stand, each by a name of its own. `users`: only those opened by one of these users;
 * undefined: by anybody.
 */
export function connectionsTo(
  addresses: readonly Address[],
  tables: string,
  users: ReadonlySet<number> | undefined,
): ReadonlySet<string> {
  const wanted = new Set(addresses.flatMap(kernelNames));
  const found = new Set<string>();
  for (const row of tables.slice(0, tableBytesMax).split('\n')) {
    const [, local = '', remote = '', state, , , , user = '', , inode = ''] = row.trim().split(/\s+/);
    if (state !== established || !wanted.has(remote)) continue;
    if (users !== undefined && !users.has(Number(user))) continue;
    found.add(`${local} ${remote} ${inode}`);
  }
  return found;
}

/** `127.0.0.1:8080` to `0100007F:1F90`, and to the same as it stands in the table of IPv6. */
function kernelNames({ host, port }: Address): readonly string[] {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  if (isIPv4(host)) {
    const bytes = host.split('.').map((part) => Number(part).toString(16).toUpperCase().padStart(2, '0'));
    const address = bytes.reverse().join('');
    return [`${address}:${hexPort}`, `0000000000000000FFFF0000${address}:${hexPort}`];
  }
  const words = ipv6Bytes(host);
  return words === undefined ? [] : [`${words}:${hexPort}`];
}

/** The kernel writes four words of four bytes, each with its last byte first. */
function ipv6Bytes(host: string): string | undefined {
  let canonical: string;
  try {
    canonical = new URL(`http://[${host}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [before = '', after] = canonical.split('::');
  const left = before === '' ? [] : before.split(':');
  const right = after === undefined || after === '' ? [] : after.split(':');
  const groups = [...left, ...Array.from({ length: 8 - left.length - right.length }, () => '0'), ...right];
  const hex = groups.map((group) => group.padStart(4, '0')).join('');
  const reversed = hex.replaceAll(/(..)(..)(..)(..)/g, '$4$3$2$1');
  return reversed.toUpperCase();
}
