// Whether two routes say the same, however their fields are ordered and whether absent ones are written as undefined.

import type { Routes } from '../routes.ts';

export function sameRoutes(a: Routes, b: Routes): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
