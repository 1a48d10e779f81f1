// The parts in which a deployment is shown: its state, its releases, its reason. Live view, status and outcome are composed of them.

import type { LiveNumbers } from '../context.ts';
import type { Judgement } from '../../core/gate/verdict.ts';
import type { Rollout } from '../../core/rollout/rollout.ts';
import { isFinal } from '../../core/rollout/status.ts';
import { scopeName } from '../../core/scope.ts';
import { renderNumbers, renderStatistics, renderVerdicts } from './evidence.ts';
import { renderLastLines } from './last-lines.ts';
import type { Look } from './look.ts';
import { strategyWords } from './plan.ts';
import { releaseName } from './release.ts';
import { clean, columnsOf, fit, hanging, padEnd } from './text.ts';
import { lasted } from './units.ts';
import { statusGlyph, statusWords, tone } from './words.ts';

/** `● CANARY_WAITING  canary of shop/production … 1m12s`, and what that means. */
export function renderHeadline(rollout: Rollout, look: Look): readonly string[] {
  const { status, plan } = rollout;
  const paint = tone(status, look);
  const took = lasted((rollout.endedAt ?? look.now) - rollout.createdAt);
  const glyph = statusGlyph(status, look);
  const what = `${strategyWords[plan.strategy]} of ${clean(scopeName(plan.scope))}`;
  const room = look.width - columnsOf(glyph) - status.length - columnsOf(took) - 6;
  const shown = fit(what, Math.max(0, room));
  const gap = ' '.repeat(Math.max(1, room - columnsOf(shown) + 2));
  return [
    `${paint(glyph)} ${look.paint.bold(paint(status))}  ${shown}${gap}${look.paint.dim(took)}`,
    ...hanging('  ', statusWords[status], look.width).map(look.paint.dim),
  ];
}

/** Both releases, each by what it is now. */
export function renderReleases(rollout: Rollout, look: Look): readonly string[] {
  const { plan } = rollout;
  const [candidate, stable] = roles(rollout);
  return [
    ...hanging(`  ${padEnd(candidate, 10)}`, releaseName(plan.candidate), look.width),
    ...(plan.stable === undefined || plan.strategy === 'same'
      ? []
      : hanging(`  ${padEnd(stable, 10)}`, releaseName(plan.stable), look.width)),
  ];
}

function roles(rollout: Rollout): readonly [candidate: string, stable: string] {
  if (rollout.plan.strategy === 'rollback') return ['back to', rollout.promoted ? 'left' : 'leaving'];
  if (isFinal(rollout.status)) return ['release', rollout.promoted ? 'before' : 'stable'];
  return rollout.promoted ? ['promoted', 'before'] : ['on trial', 'stable'];
}

/** Why it waits, goes back or failed; and the failure's place and remedy, where it says more. */
export function renderReason(rollout: Rollout, look: Look): readonly string[] {
  const { reason, failure } = rollout;
  const lines: string[] = [];
  if (reason !== undefined) lines.push(...hanging('  why       ', clean(reason), look.width));
  if (failure === undefined) return lines;
  if (reason === undefined || !reason.includes(failure.message)) {
    lines.push(...hanging('  failure   ', clean(failure.message), look.width));
  }
  lines.push(...renderLastLines(failure, '  wrote     ', look));
  if (failure.at !== undefined)
    lines.push(...hanging('  at        ', clean(failure.at), look.width).map(look.paint.dim));
  lines.push(...hanging('  do        ', clean(failure.remedy), look.width));
  return lines;
}

/** The newest evidence: live numbers where there are some, otherwise what the state holds. */
export function newestJudgement(rollout: Rollout, live: LiveNumbers | undefined): Judgement | undefined {
  return live?.judgement ?? rollout.hold?.judgement;
}

export function renderEvidence(judgement: Judgement, look: Look, requestsPerSecond?: number): readonly string[] {
  return [
    ...renderNumbers(judgement, look, requestsPerSecond),
    ...renderVerdicts(judgement, look),
    ...renderStatistics(judgement, look),
  ];
}
