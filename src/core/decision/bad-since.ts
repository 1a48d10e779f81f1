// Since when a release has been bad, as far as its requests and the answers about it tell: the time to detect begins there.

import type { Judgement } from '../gate/verdict.ts';

/**
 * Epoch milliseconds of the first sign of what a failing judgement stands on: the first of its failed requests after a minute without
 * one, the first answer beyond a limit. Undefined where nothing tells, as with latency alone.
 */
export function badSince(judgement: Judgement): number | undefined {
  const failing = judgement.verdicts.filter(({ outcome, weight }) => outcome === 'fail' && weight !== 0);
  const signs = failing
    .map(({ since }) => since ?? judgement.candidate.failingSince)
    .filter((sign) => sign !== undefined);
  return signs.length === 0 ? undefined : Math.min(...signs);
}
