// What a plan tells of a step beyond its sentence: the conditions under which a hold ends.

import { formatDuration } from '../../base/duration.ts';
import type { Step } from '../../core/plan/step.ts';
import { gateCheckWords } from './gate-check.ts';

/** One short sentence each. */
export function stepParticulars(step: Step): readonly string[] {
  if (step.kind !== 'hold') return [];
  const asks = step.maxMs > step.atLeastMs && step.noData === 'hold';
  return [
    ...step.checks.map(gateCheckWords),
    ...(asks ? [`pauses for a person after ${formatDuration(step.maxMs)} without a conclusion`] : []),
  ];
}
