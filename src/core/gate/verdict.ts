// Verdicts of checks, and the judgement that they add up to, each with the numbers it stands on.

import type { NoNumberReason } from '../metrics/question.ts';
import type { ReleaseId } from '../release.ts';
import type { GateEvidence } from './statistics/evidence.ts';

export type Outcome = 'pass' | 'fail' | 'inconclusive';

export interface Verdict {
  /** The check in words: `error rate at most 5 %`. */
  readonly check: string;
  readonly outcome: Outcome;
  /** What was measured, against what, on how many requests: one sentence. */
  readonly reason: string;
  readonly value?: number | undefined;
  readonly limit?: number | undefined;
  readonly samples: number;
  /** What a failure counts; from 1 on, all failures together, the judgement fails. Default 1; 0 is for people to read only. */
  readonly weight?: number | undefined;
  /** While this is inconclusive nothing goes on, not even a hold that goes on without requests. */
  readonly binding?: true | undefined;
  /** Epoch milliseconds of the first of the answers in a row that it stands on. */
  readonly since?: number | undefined;
  /** Why there is no number, for verdicts on answers of metric sources. */
  readonly cause?: NoNumberReason | undefined;
}

/** What one release showed during a hold. */
export interface ReleaseEvidence {
  readonly release: ReleaseId;
  readonly requests: number;
  readonly errors: number;
  /** Errors that the router had to answer for, because the release gave no answer. */
  readonly unanswered: number;
  /** Epoch milliseconds of the first error after a minute without one. */
  readonly failingSince?: number | undefined;
  /** Milliseconds; undefined while there are no successful requests. */
  readonly p50?: number | undefined;
  readonly p95?: number | undefined;
  readonly p99?: number | undefined;
}

/** What the statistical gate said, with all that it said it on. */
export interface Statistics {
  /** For people, a line each: the verdict, both releases, what earned it, what would change it. */
  readonly words: readonly string[];
  readonly evidence: GateEvidence;
}

export interface Judgement {
  readonly outcome: Outcome;
  readonly verdicts: readonly Verdict[];
  readonly candidate: ReleaseEvidence;
  readonly stable?: ReleaseEvidence | undefined;
  /** Samples that the router lost; a loss makes a passing judgement inconclusive. */
  readonly lost: number;
  /** Evidence of the statistical gate, where one judged. */
  readonly statistics?: Statistics | undefined;
}

/** What a record of a judgement says beyond its numbers: a new one is worth a record. */
export function gistOf(judgement: Judgement): string {
  const answers = judgement.verdicts.filter(({ binding }) => binding === true);
  return [judgement.outcome, ...answers.map(({ outcome, cause = '' }) => `${outcome} ${cause}`)].join(', ');
}

/** Whether something is open that must be answered before anything goes on. */
export function isBound(judgement: Judgement): boolean {
  return judgement.verdicts.some(
    (verdict) => verdict.binding === true && verdict.outcome !== 'pass' && verdict.weight !== 0,
  );
}

export function errorRate(evidence: ReleaseEvidence): number {
  return evidence.requests === 0 ? 0 : evidence.errors / evidence.requests;
}
