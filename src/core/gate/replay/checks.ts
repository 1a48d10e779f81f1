// Takes a verdict of the gate apart: what each thing that it watches showed, with the evidence against the candidate and for it.

import { percent } from '../statistics/explain.ts';
import type { GateEvidence, GateVerdict } from '../statistics/evidence.ts';

export interface CheckEvidence {
  readonly check: 'errors' | 'p95' | 'p99' | 'guard' | 'split';
  /** `fail`: it aborts the candidate · `pass`: what it asks for is shown · `inconclusive`: neither yet. */
  readonly outcome: 'pass' | 'fail' | 'inconclusive';
  /** The candidate's figure and stable's: a fraction, or ms; undefined where there are no requests. */
  readonly candidate?: number | undefined;
  readonly stable?: number | undefined;
  /** What is asked for: the margin on stable, the guard's rate or the configured share, as fractions. */
  readonly limit: number;
  /** Wealth against the candidate by this check; all latency has one. The sum over all checks aborts at `1/alpha`. */
  readonly against?: number | undefined;
  /** Logarithm of the evidence in favour, and what it must reach. */
  readonly inFavour?: number | undefined;
  readonly inFavourNeeded?: number | undefined;
  readonly says: string;
}

export function checksOf({ reason, evidence }: GateVerdict): readonly CheckEvidence[] {
  const { candidate, stable, wealth, promotion, margins, guardRate, split } = evidence;
  const proves = (metric: 'errors' | 'p95' | 'p99'): Pick<CheckEvidence, 'outcome' | 'inFavour' | 'inFavourNeeded'> => {
    const failed = reason === (metric === 'errors' ? 'errors' : 'latency');
    const passed = (promotion[metric] ?? 0) >= promotion.needed;
    return {
      outcome: failed ? 'fail' : passed ? 'pass' : 'inconclusive',
      inFavour: promotion[metric],
      inFavourNeeded: promotion.needed,
    };
  };
  const known = (release: GateEvidence['candidate']): number | undefined =>
    release.requests === 0 ? undefined : release.errorRate;
  const latency = (metric: 'p95' | 'p99'): CheckEvidence => ({
    check: metric,
    ...proves(metric),
    candidate: candidate[metric]?.valueMs,
    stable: stable[metric]?.valueMs,
    limit: margins[metric],
    against: wealth.latency,
    says: `at most ${percent(margins[metric])} of requests more than stable are slower than 1.25 times stable’s ${metric}`,
  });
  return [
    {
      check: 'errors',
      ...proves('errors'),
      candidate: known(candidate),
      stable: known(stable),
      limit: margins.errors,
      against: wealth.errors,
      says: `at most ${percent(margins.errors)} of requests more than stable fail`,
    },
    latency('p95'),
    latency('p99'),
    {
      check: 'guard',
      outcome: reason === 'errors' && wealth.guard > wealth.errors ? 'fail' : 'inconclusive',
      candidate: known(candidate),
      limit: guardRate,
      against: wealth.guard,
      says: `the candidate alone fails at most ${percent(guardRate)}`,
    },
    {
      check: 'split',
      outcome: split.mismatch ? 'inconclusive' : 'pass',
      candidate: split.seen,
      limit: split.configured,
      says: evidence.share === 0 ? 'the share is not known, so it is not checked' : 'the candidate gets its share',
    },
  ];
}
