// How few requests any test could do with: what the gate's speed is measured against.

import { bernoulliDivergence } from './special.ts';

/** Requests of the candidate that Wald's test needs on average when it knows both error rates. */
export function waldLimit(candidate: number, stable: number, alpha: number): number {
  return Math.log(1 / alpha) / bernoulliDivergence(candidate, stable);
}

/** The same when stable's rate must be learnt from traffic beside it, with the fraction `share` of requests on the candidate. */
export function twoSampleLimit(candidate: number, stable: number, share: number, alpha: number): number {
  const mixed = share * candidate + (1 - share) * stable;
  const perRequest = share * bernoulliDivergence(candidate, mixed) + (1 - share) * bernoulliDivergence(stable, mixed);
  return (Math.log(1 / alpha) / perRequest) * share;
}
