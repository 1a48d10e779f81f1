// The factor "test coverage": how much of the code tests run, and of the lines that changed where that is known.

import type { CoverageFacts } from '../facts.ts';
import { assessed, percent, unknown, type Assessed } from './factor.ts';

/** More than this part of the lines proves no more. */
const enough = 0.8;

/** The changed lines count three times as much as the whole: they are what may have broken. */
const changedPart = 0.75;

export function coverageFactor(coverage: CoverageFacts | undefined): Assessed {
  if (coverage === undefined || coverage.lines === 0) return unknown('no coverage of tests was given');
  const { lines, covered, changed } = coverage;
  const all = covered / lines;
  const words = `${percent(all)} of ${lines} lines are covered`;
  if (changed === undefined) return assessed(100 * worth(all), `${words}; of the changed lines it is not known`);
  if (changed.lines === 0) return assessed(100 * worth(all), `${words}; no line that tests could cover changed`);
  const ofChanged = changed.covered / changed.lines;
  return assessed(
    100 * (changedPart * worth(ofChanged) + (1 - changedPart) * worth(all)),
    `${percent(ofChanged)} of ${changed.lines} changed lines are covered, ${words}`,
  );
}

const worth = (covered: number): number => Math.min(1, covered / enough);
