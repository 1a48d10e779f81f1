// Where NGINX finds what Sluice writes: the same paths, except where it runs in a container that mounts them elsewhere.

import { basename, dirname, join } from 'node:path';

import type { NginxRouterSpec } from '../../../core/plan/spec.ts';

export function includeInside(spec: NginxRouterSpec): string {
  return spec.includeInside ?? spec.include;
}

/** The folder of tables. */
export function directoryInside(spec: NginxRouterSpec): string {
  const include = includeInside(spec);
  return join(dirname(include), `.${basename(include)}.sluice`);
}
