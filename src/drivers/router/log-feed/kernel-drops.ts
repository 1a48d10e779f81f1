// The datagrams that the kernel threw away because a socket's buffer was full, as it counts them itself.

import { readFileSync } from 'node:fs';

/** A socket of IPv6 stands in a table of its own, also where it takes IPv4. */
const tables = { udp4: '/proc/net/udp', udp6: '/proc/net/udp6' } as const;

/** Of the sockets at this port, since they were opened; 0 where the kernel does not say. */
export function kernelDrops(family: keyof typeof tables, port: number): number {
  let table: string;
  try {
    table = readFileSync(tables[family], 'latin1');
  } catch {
    return 0;
  }
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const rows = table.split('\n').map((row) => row.trim().split(/\s+/));
  const ours = rows.filter(([, address]) => address?.endsWith(local) === true);
  return ours.reduce((sum, row) => sum + Number(row.at(-1)), 0);
}
