// Decides what a hold leads to: go on, stay, ask a person, or go back; always with the reason.

import type { HoldStep } from '../plan/step.ts';
import { isBound, type Judgement, type Outcome, type Verdict } from '../gate/verdict.ts';
import { type Confidence, describeConfidence } from './confidence.ts';

export interface Decision {
  readonly kind: 'advance' | 'hold' | 'ask' | 'pause' | 'go-back';
  readonly reason: string;
  /** The score that it stands on, where one was asked for. */
  readonly confidence?: Confidence | undefined;
}

export interface HoldFacts {
  readonly judgement: Judgement | undefined;
  readonly minimumsReached: boolean;
  /** Whether the longest time for this hold is over. */
  readonly overdue: boolean;
  /** The score, where the step asks for one; it is made only when the hold could go on. */
  readonly confidence?: (() => Confidence) | undefined;
}

/** A failing gate goes back whatever else holds; only a passing one, with time and requests reached, goes on. */
export function decide(step: HoldStep, facts: HoldFacts): Decision {
  const { judgement } = facts;
  if (judgement?.outcome === 'fail') return { kind: 'go-back', reason: reasonOf(judgement, 'fail') };
  const passed = facts.minimumsReached && (step.checks.length === 0 || judgement?.outcome === 'pass');
  if (passed && (step.noData === 'hold' || facts.overdue)) return onwards(step, facts);
  if (!facts.overdue) return { kind: 'hold', reason: `${step.name}: more time or requests are needed` };
  if (step.noData === 'pass' && (judgement === undefined || !isBound(judgement))) return onwards(step, facts);
  return {
    kind: 'pause',
    reason: `${step.name}: no conclusion in the longest time allowed: ${reasonOf(judgement, 'inconclusive')}`,
  };
}

function onwards(step: HoldStep, facts: HoldFacts): Decision {
  const confidence = facts.confidence?.();
  const words = confidence === undefined ? undefined : describeConfidence(confidence);
  if (confidence?.outcome === 'go-back') return { kind: 'go-back', reason: `${step.name}: ${words}`, confidence };
  if (step.promotion === 'manual' || confidence?.outcome === 'ask') {
    const ready = confidence?.outcome === 'ask' ? words : ['ready', words].filter(Boolean).join(', ');
    return { kind: 'ask', reason: `${step.name}: ${ready}; waits for \`sluice promote\``, confidence };
  }
  const passed = step.checks.length === 0 && words !== undefined ? [] : [reasonOf(facts.judgement, 'pass')];
  return { kind: 'advance', reason: `${step.name}: ${[...passed, words].filter(Boolean).join('; ')}`, confidence };
}

/** The reasons of the verdicts with this outcome, as one text. */
export function reasonOf(judgement: Judgement | undefined, outcome: Outcome): string {
  const reasons = (judgement?.verdicts ?? [])
    .filter((verdict) => speaksFor(verdict, outcome))
    .map((verdict) => verdict.reason);
  if (reasons.length > 0) return reasons.join('; ');
  return outcome === 'pass' ? 'nothing speaks against going on' : 'no requests of the release on trial were seen';
}

/** A failure that weighs too little to decide leaves the matter open. */
function speaksFor(verdict: Verdict, outcome: Outcome): boolean {
  if (outcome !== 'pass' && verdict.weight === 0) return false;
  return verdict.outcome === outcome || (outcome === 'inconclusive' && verdict.outcome === 'fail');
}
