// The statistical gate's verdict in the form in which all checks of a stage are put together.

import type { Verdict } from '../verdict.ts';
import type { GateVerdict } from './evidence.ts';
import { explain } from './explain.ts';

/** The check in words. */
export const statisticalCheck = 'no worse than stable, by the statistics of both';

/** One verdict among others; the whole evidence stays in the gate's own. */
export function asVerdict(verdict: GateVerdict): Verdict {
  const { outcome, evidence } = verdict;
  const [headline = '', ...others] = explain(verdict).split('\n');
  // Where more is needed, how much more is what a person wants to know.
  const outlook = verdict.reason === 'undecided' ? `; ${others.at(-1) ?? ''}` : '';
  return {
    check: statisticalCheck,
    outcome,
    // the outcome stands beside the reason already
    reason: headline.replace(/^(?:pass|fail|inconclusive): /, '') + outlook,
    value: evidence.wealth.total,
    limit: evidence.wealth.needed,
    samples: evidence.candidate.requests,
  };
}
