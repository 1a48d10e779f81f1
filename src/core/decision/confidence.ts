// The confidence score: how sure one may be of a release at a point of its deployment, from six factors, and what follows from it.

import type { Judgement } from '../gate/verdict.ts';
import type { ConfidenceFacts } from './facts.ts';
import { blastRadiusFactor, type Criticality, type Exposure } from './factors/blast-radius.ts';
import { complexityFactor } from './factors/complexity.ts';
import { coverageFactor } from './factors/coverage.ts';
import { type Assessed, factorNames, type FactorName } from './factors/factor.ts';
import { healthFactor } from './factors/health.ts';
import { historyFactor } from './factors/history.ts';
import { safetyFactor } from './factors/safety.ts';

export const confidencePoints = ['beforeTraffic', 'beforePromotion'] as const;

/** Before the candidate gets any traffic, or before it gets all of it. */
export type ConfidencePoint = (typeof confidencePoints)[number];

/** What a configuration says about the score. */
export interface ConfidencePolicy {
  readonly at: readonly ConfidencePoint[];
  readonly criticality: Criticality;
  /** From this score on (0 to 100) it goes on by itself. */
  readonly goOn: number;
  /** From this score on a person is asked; below it goes back. */
  readonly ask: number;
  /** Of any size; only their proportions count. A factor with weight 0 is left out. */
  readonly weights: Readonly<Record<FactorName, number>>;
}

export interface Factor extends Assessed {
  readonly name: FactorName;
  /** Its part in the score, 0 to 1; all parts add up to 1. */
  readonly weight: number;
}

export interface Confidence {
  readonly point: ConfidencePoint;
  /** 0 to 100, to one decimal. */
  readonly score: number;
  readonly outcome: 'advance' | 'ask' | 'go-back';
  readonly goOn: number;
  readonly ask: number;
  readonly factors: readonly Factor[];
}

export interface ConfidenceQuestion {
  readonly point: ConfidencePoint;
  readonly policy: ConfidencePolicy;
  readonly facts: ConfidenceFacts;
  readonly exposure: Omit<Exposure, 'criticality'>;
  /** The newest judgement of the gates; undefined before there is traffic. */
  readonly judgement?: Judgement | undefined;
}

/** The weighted mean of the factors that can be known at this point. */
export function confidenceOf(question: ConfidenceQuestion): Confidence {
  const { point, policy } = question;
  const known = factorNames.flatMap((name) => {
    const weight = policy.weights[name];
    const assessed = weight > 0 ? assess(name, question) : undefined;
    return assessed === undefined ? [] : [{ name, weight, ...assessed }];
  });
  const total = known.reduce((sum, { weight }) => sum + weight, 0);
  const factors = known.map((factor) => ({ ...factor, weight: factor.weight / total }));
  const mean = factors.reduce((sum, { weight, value }) => sum + weight * value, 0);
  // what is shown is what is decided by
  const score = Math.round(mean * 10) / 10;
  const outcome = score >= policy.goOn ? 'advance' : score >= policy.ask ? 'ask' : 'go-back';
  return { point, score, outcome, goOn: policy.goOn, ask: policy.ask, factors };
}

function assess(name: FactorName, { facts, policy, exposure, judgement }: ConfidenceQuestion): Assessed | undefined {
  switch (name) {
    case 'safety':
      return safetyFactor(facts.release.safety);
    case 'health':
      return healthFactor(judgement);
    case 'blastRadius':
      return blastRadiusFactor({ ...exposure, criticality: policy.criticality });
    case 'history':
      return historyFactor(facts.past);
    case 'complexity':
      return complexityFactor(facts.release.change);
    case 'coverage':
      return coverageFactor(facts.release.coverage);
  }
}

export const factorWords: Readonly<Record<FactorName, string>> = {
  safety: 'safety checks',
  health: 'health',
  blastRadius: 'blast radius',
  history: 'history',
  complexity: 'complexity of the change',
  coverage: 'test coverage',
};

/** `confidence 71.4 of 100 (80 needed): weakest are history 55, test coverage 50`. */
export function describeConfidence({ score, outcome, goOn, ask, factors }: Confidence): string {
  const needed = outcome === 'go-back' ? `${ask} needed to ask a person` : `${goOn} needed to go on`;
  const cost = ({ weight, value }: Factor): number => weight * (100 - value);
  const weakest = factors.toSorted((a, b) => cost(b) - cost(a)).slice(0, 2);
  const named = weakest.map(({ name, value, reason }) => `${factorWords[name]} ${Math.round(value)} (${reason})`);
  return outcome === 'advance'
    ? `confidence ${score} of 100`
    : `confidence ${score} of 100, ${needed}; what costs most: ${named.join('; ')}`;
}
