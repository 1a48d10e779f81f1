// The digest of a plan: two plans with the same digest do the same.

import { createHash } from 'node:crypto';
import { canonicalJson } from '../../base/canonical-json.ts';
import type { Plan } from './plan.ts';

/** `sha256:<64 hex>` over the plan as canonical JSON. */
export function planDigest(plan: Plan): string {
  return `sha256:${createHash('sha256').update(canonicalJson(plan)).digest('hex')}`;
}
