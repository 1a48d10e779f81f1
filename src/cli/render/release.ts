// Releases and their instances as people read them.

import { type Instance, addressName } from '../../core/instance.ts';
import type { Release } from '../../core/release.ts';
import { clean, fit } from './text.ts';

/** `shop@3f9c2a1b7d04 (1.4.2)`; without colours. */
export function releaseName(release: Release): string {
  const label = labelOf(release);
  return label === '' ? clean(release.id) : `${clean(release.id)} (${label})`;
}

/** What people call it, short enough to stand beside other things; empty where it has no label. */
export function labelOf(release: Release): string {
  return release.label === undefined ? '' : fit(clean(release.label), 24);
}

/** `2 running: 127.0.0.1:4001, 127.0.0.1:4002`. */
export function instancesText(instances: readonly Instance[]): string {
  const running = instances.filter((instance) => instance.state === 'running');
  if (running.length === 0) return 'none running';
  const shown = running.slice(0, 4).map(instanceText);
  const rest = running.length - shown.length;
  return `${running.length} running: ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`;
}

function instanceText(instance: Instance): string {
  const restarts = instance.restarts === 0 ? '' : ` (started again ${instance.restarts}×)`;
  return `${clean(addressName(instance.address))}${restarts}`;
}

/** Instances that ended by themselves, each with what is known of its end. */
export function exitedTexts(instances: readonly Instance[]): readonly string[] {
  return instances
    .filter((instance) => instance.state === 'exited')
    .map(
      (instance) =>
        `${clean(instance.id)} of ${clean(instance.release)} ended: ${clean(instance.exit ?? 'not known why')}`,
    );
}
