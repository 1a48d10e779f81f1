// The steps of a deployment: what is done, what is done now with its particulars, what comes next.

import { describeStep } from '../../core/plan/describe-step.ts';
import type { PlannedStep } from '../../core/plan/plan.ts';
import type { HoldStep } from '../../core/plan/step.ts';
import { course, currentStep, type Rollout } from '../../core/rollout/rollout.ts';
import { isFinal, isWaiting } from '../../core/rollout/status.ts';
import type { Look } from './look.ts';
import { clean, columnsOf, fit, hanging, wrap } from './text.ts';
import { count, lasted, left } from './units.ts';

/** When each step began, as far as it was seen: `forward/3` → epoch milliseconds. */
export type StepTimes = ReadonlyMap<string, number>;

export const noTimes: StepTimes = new Map();

export function stepKey(rollout: Pick<Rollout, 'course' | 'step'>): string {
  return `${rollout.course}/${rollout.step}`;
}

/** How many steps before and after the current one are shown; the others are counted. */
export interface Window {
  readonly before: number;
  readonly after: number;
}

export function renderProgress(rollout: Rollout, times: StepTimes, window: Window, look: Look): readonly string[] {
  const steps = course(rollout);
  const from = Math.max(0, rollout.step - window.before);
  const to = Math.min(steps.length, rollout.step + 1 + window.after);
  const lines: string[] = [];
  if (from > 0) lines.push(look.paint.dim(`    ${from} done before`));
  for (let index = from; index < to; index += 1) {
    const planned = steps[index];
    if (planned !== undefined) lines.push(...stepLines(rollout, planned, index, times, look));
  }
  if (to < steps.length) lines.push(look.paint.dim(`    ${steps.length - to} more after that`));
  return lines;
}

function stepLines(
  rollout: Rollout,
  planned: PlannedStep,
  index: number,
  times: StepTimes,
  look: Look,
): readonly string[] {
  const { glyphs, paint } = look;
  const words = clean(describeStep(planned, rollout.plan));
  const began = times.get(`${rollout.course}/${index}`);
  if (index < rollout.step) {
    const ended = times.get(`${rollout.course}/${index + 1}`);
    const time = began === undefined || ended === undefined ? '' : lasted(ended - began);
    return [stepLine(paint.good(glyphs.passed), words, time, look)];
  }
  if (index > rollout.step) return [paint.dim(stepLine(glyphs.later, words, '', look))];
  const stands = isWaiting(rollout.status) || rollout.status === 'FAILED';
  const glyph = stands ? paint.warn(glyphs.current) : paint.accent(glyphs.current);
  const end = isFinal(rollout.status) ? rollout.at : look.now;
  const time = began === undefined ? '' : lasted(end - began);
  const lines = wrap(words, look.width - 4 - (time === '' ? 0 : columnsOf(time) + 2));
  return [
    stepLine(glyph, paint.bold(lines[0] ?? ''), time, look),
    ...lines.slice(1).map((line) => `    ${paint.bold(line)}`),
    ...particulars(rollout, look),
  ];
}

/** The words on the left, the time on the right; never more than the width. */
function stepLine(glyph: string, words: string, time: string, look: Look): string {
  const room = look.width - 4 - (time === '' ? 0 : columnsOf(time) + 2);
  const left = columnsOf(words) > room ? fit(words, room) : words;
  const gap = time === '' ? '' : ' '.repeat(room - columnsOf(left) + 2) + time;
  return `  ${glyph} ${left}${gap}`;
}

/** What the current step still waits for. */
function particulars(rollout: Rollout, look: Look): readonly string[] {
  const step = currentStep(rollout)?.step;
  const facts = step?.kind === 'hold' ? holdFacts(rollout, step, look) : waitFacts(rollout, look);
  if (facts.length === 0 || isFinal(rollout.status)) return [];
  return hanging('    ', facts.join(', '), look.width).map(look.paint.dim);
}

function waitFacts(rollout: Rollout, look: Look): readonly string[] {
  if (rollout.until === undefined || isWaiting(rollout.status)) return [];
  return [`${left(rollout.until - look.now)} left`];
}

function holdFacts(rollout: Rollout, step: HoldStep, look: Look): readonly string[] {
  const { hold } = rollout;
  if (hold === undefined || rollout.status === 'AWAITING_APPROVAL') return [];
  const facts: string[] = [];
  const elapsedMs = look.now - hold.enteredAt;
  const minimumMs = step.atLeastMs - elapsedMs;
  if (minimumMs > 0) facts.push(`at least ${left(minimumMs)} more`);
  const seen = hold.judgement?.candidate.requests ?? 0;
  if (step.requests > 0 && seen < step.requests) facts.push(`${count(seen)} of ${count(step.requests)} requests`);
  if (facts.length === 0 && step.checks.length > 0) facts.push('time and requests reached; the gates decide');
  const waits = rollout.until !== undefined && step.noData === 'hold' && !isWaiting(rollout.status);
  if (waits) facts.push(`pauses for a person in ${left((rollout.until ?? 0) - look.now)}`);
  return facts;
}
