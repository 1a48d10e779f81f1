// A plan as text: what will happen, in order, and what happens when it goes back.

import { formatDuration } from '../../base/duration.ts';
import { describeStep } from '../../core/plan/describe-step.ts';
import type { Plan, PlannedStep, StrategyName } from '../../core/plan/plan.ts';
import { scopeName } from '../../core/scope.ts';
import type { Look } from './look.ts';
import { releaseName } from './release.ts';
import { stepParticulars } from './step.ts';
import { clean, fit, hanging, padEnd, padStart } from './text.ts';
import { counted } from './units.ts';

export const strategyWords: Readonly<Record<StrategyName, string>> = {
  first: 'first deployment',
  same: 'same release',
  'blue-green': 'blue-green',
  canary: 'canary',
  rolling: 'rolling',
  rollback: 'rollback',
};

export function renderPlan(plan: Plan, digest: string, look: Look): readonly string[] {
  const { paint, width } = look;
  return [
    paint.bold(fit(`Plan: ${strategyWords[plan.strategy]} of ${clean(scopeName(plan.scope))}`, width)),
    '',
    ...hanging('  release   ', releaseName(plan.candidate), width),
    ...image(plan).flatMap((name) => hanging('  image     ', name, width)),
    ...hanging('  replaces  ', replaced(plan), width),
    ...hanging('  digest    ', clean(digest), width),
    '',
    ...steps(plan.steps, plan, look),
    '',
    paint.bold('If it goes back:'),
    ...hanging('  ', 'after a failed step or gate, an abort, or at the deadline', width).map(paint.dim),
    '',
    ...steps(plan.back, plan, look),
    '',
    ...hanging(
      '',
      `Takes at most ${formatDuration(plan.longestMs)}, not counting time that it waits for a person.`,
      width,
    ),
  ];
}

/** By what never moves, whatever tag was written. */
function image({ candidate: { artifact } }: Plan): readonly string[] {
  return artifact.kind === 'image' ? [clean(`${artifact.repository}@${artifact.digest}`)] : [];
}

function replaced(plan: Plan): string {
  if (plan.strategy === 'same') return 'nothing: this release is stable already, only its instances change';
  if (plan.stable === undefined) return 'nothing: no release is deployed here yet';
  return `${releaseName(plan.stable)}, ${counted(plan.stableInstances, 'instance')}`;
}

function steps(planned: readonly PlannedStep[], plan: Plan, look: Look): readonly string[] {
  if (planned.length === 0) return [look.paint.dim('  nothing to do')];
  const numberWidth = String(planned.length).length;
  const statusWidth = Math.max(...planned.map(({ status }) => status.length));
  return planned.flatMap((each, index) => {
    const heading = `  ${padStart(String(index + 1), numberWidth)}  ${padEnd(each.status, statusWidth)}  `;
    const [first = '', ...more] = hanging(heading, clean(describeStep(each, plan)), look.width);
    const indent = ' '.repeat(heading.length + 2);
    const particulars = stepParticulars(each.step).flatMap((text) => hanging(indent, text, look.width));
    return [first, ...more, ...particulars.map(look.paint.dim)];
  });
}
