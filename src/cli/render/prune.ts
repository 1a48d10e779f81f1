// What pruning removed, or would remove.

import type { PruneAnswer } from '../context.ts';
import type { Look } from './look.ts';
import { clean } from './text.ts';
import { bytes, counted } from './units.ts';

export function renderPrune(answer: PruneAnswer, look: Look): readonly string[] {
  const { releases, instances, dryRun } = answer;
  if (releases.length === 0 && instances.length === 0) return ['Nothing to remove.'];
  const total = releases.reduce((sum, release) => sum + release.bytes, 0);
  const verb = dryRun ? 'Would remove' : 'Removed';
  return [
    `${verb} ${counted(releases.length, 'release')} (${bytes(total)}) and ${counted(instances.length, 'left-over instance')}.`,
    ...releases.map(({ id, bytes: size }) => `  ${clean(id)}  ${look.paint.dim(bytes(size))}`),
    ...instances.map((instance) => `  instance ${clean(instance)}`),
  ];
}
