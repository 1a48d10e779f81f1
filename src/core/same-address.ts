// Whether two addresses stand in each other's way, so that the one who has the first cannot be taken for a stranger at the second.

import type { Address } from './instance.ts';

const wildcards = new Set(['0.0.0.0', '::', '']);

/** Whether two addresses cannot both be listened on; port 0 stands for any free one. */
export function sameAddress(a: Address, b: Address): boolean {
  if (a.port !== b.port || a.port === 0) return false;
  const [left, right] = [canonicalHost(a.host), canonicalHost(b.host)];
  return left === right || wildcards.has(left) || wildcards.has(right);
}

function canonicalHost(host: string): string {
  const lower = host.toLowerCase();
  return lower === 'localhost' ? '127.0.0.1' : lower;
}
