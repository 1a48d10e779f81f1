// The factor "change complexity": how much changed, and whether what changed is hard to undo.

import type { ChangeFacts } from '../facts.ts';
import { assessed, counted, unknown, type Assessed } from './factor.ts';

const basisWords: Readonly<Record<ChangeFacts['basis'], string>> = {
  stable: 'since the stable release',
  configured: 'since the configured commit',
  parent: 'since the commit before',
};

/** Each doubling of the change costs the same; a migration costs more, because going back does not undo it. */
export function complexityFactor(change: ChangeFacts | undefined): Assessed {
  if (change === undefined) return unknown('what changed is not known');
  const { files, lines, migrations, dependencies } = change;
  const cost =
    8 * Math.log2(1 + lines / 100) +
    4 * Math.log2(1 + files / 10) +
    (migrations === 0 ? 0 : Math.min(40, 15 + 5 * migrations)) +
    Math.min(20, 5 * dependencies);
  const reason =
    `${counted(files, 'file')}, ${counted(lines, 'line')}, ${counted(migrations, 'migration')} and ` +
    `${counted(dependencies, 'dependency file')} changed ${basisWords[change.basis]} (${change.since.slice(0, 12)})`;
  return assessed(100 - cost, reason);
}
