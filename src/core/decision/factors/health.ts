// The factor "candidate health": how far the gate's evidence has come, against the candidate and in its favour.

import type { GateEvidence } from '../../gate/statistics/evidence.ts';
import { leastOf } from '../../gate/statistics/promotion.ts';
import type { Judgement } from '../../gate/verdict.ts';
import { errorRate } from '../../gate/verdict.ts';
import { assessed, counted, percent, unknown, type Assessed } from './factor.ts';

/** Undefined while the candidate has had no requests: then nothing can be said, and nothing is. */
export function healthFactor(judgement: Judgement | undefined): Assessed | undefined {
  if (judgement === undefined || judgement.candidate.requests === 0) return undefined;
  const requests = counted(judgement.candidate.requests, 'request');
  if (judgement.outcome === 'fail') return assessed(0, `the gates say fail after ${requests}`);
  const { statistics, verdicts } = judgement;
  if (statistics === undefined && verdicts.length === 0) return unknown(`no gate judged its ${requests}`);
  return statistics === undefined ? byLimits(judgement) : byEvidence(judgement, statistics.evidence);
}

/**
 * 60 for an even start, up to 100 as the bets in the candidate's favour are won, down to 0 as the wealth against it nears the level
 * that aborts.
 */
function byEvidence({ candidate }: Judgement, { wealth, promotion, difference }: GateEvidence): Assessed {
  const against = fraction(Math.log(Math.max(wealth.deciding, 1)) / Math.log(wealth.needed));
  const inFavour = fraction(leastOf(promotion) / promotion.needed);
  const reason =
    `${counted(candidate.requests, 'request')}, ${percent(against)} of the evidence that would abort, ` +
    `${percent(inFavour)} of what shows that it is no worse; ` +
    (difference.high >= 1
      ? 'the difference of error rates is not known yet'
      : `its error rate is at most ${percent(Math.max(0, difference.high))} above stable’s`);
  return assessed(60 + 40 * inFavour - 60 * against, reason);
}

/** With limits alone: what passes counts more the more requests it passed on. */
function byLimits({ outcome, candidate }: Judgement): Assessed {
  const evidence = 1 - 1 / (1 + candidate.requests / 100);
  const words = `${percent(errorRate(candidate))} of ${counted(candidate.requests, 'request')} failed`;
  if (outcome === 'inconclusive') return assessed(60, `${words}; the gates have not decided`);
  return assessed(60 + 40 * evidence, `${words}; every gate passes`);
}

const fraction = (value: number): number => Math.min(1, Math.max(0, value));
