// The end of a deployment: what came of it, how long it took, on what evidence, and what to do now.

import { formatDuration } from '../../base/duration.ts';
import type { Rollout } from '../../core/rollout/rollout.ts';
import type { Status } from '../../core/rollout/status.ts';
import { isWaiting } from '../../core/rollout/status.ts';
import { scopeName } from '../../core/scope.ts';
import { renderEvidence, renderReason } from './deployment.ts';
import type { Look } from './look.ts';
import { commandsFor, renderCommands } from './next-commands.ts';
import { releaseName } from './release.ts';
import { clean, hanging } from './text.ts';
import { lasted, moment } from './units.ts';
import { statusGlyph, statusWords, tone } from './words.ts';

export interface OutcomeOptions {
  /** Whether a controller goes on working after this command. */
  readonly attended: boolean;
}

/** The last words about a deployment that ended, or that waits while nobody watches it any more. */
export function renderOutcome(rollout: Rollout, look: Look, options: OutcomeOptions): readonly string[] {
  const { status } = rollout;
  const paint = tone(status, look);
  const glyph = statusGlyph(status, look);
  const [first = '', ...rest] = hanging(`${glyph} ${status}  `, summary(rollout), look.width);
  return [
    first.replace(`${glyph} ${status}`, () => look.paint.bold(paint(`${glyph} ${status}`))),
    ...rest,
    ...renderReason(rollout, look),
    ...(status === 'VERIFIED' ? afterwards(rollout, options, look) : times(rollout, look)),
    ...evidence(rollout, look),
    ...(status === 'FAILED' ? whatFailedMeans(look) : []),
    '',
    look.paint.dim(`  ${heading(status)}`),
    ...renderCommands(commandsFor(rollout), rollout.plan.scope, look),
  ];
}

function heading(status: Status): string {
  if (isWaiting(status)) return 'To go on, or back:';
  return status === 'VERIFIED' ? 'What you can do:' : 'To see what happened:';
}

function summary(rollout: Rollout): string {
  const { plan, status } = rollout;
  const scope = clean(scopeName(plan.scope));
  const candidate = releaseName(plan.candidate);
  if (status === 'VERIFIED') {
    const took = lasted((rollout.endedAt ?? rollout.at) - rollout.createdAt);
    return `${scope} runs ${candidate}${plan.strategy === 'same' ? ' as asked' : ''}, after ${took}`;
  }
  if (status === 'ROLLED_BACK') {
    return plan.stable === undefined
      ? `${scope} serves nothing, as before; ${candidate} was taken away`
      : `${scope} stays on ${releaseName(plan.stable)}; ${candidate} was taken out`;
  }
  return `${scope}: the deployment of ${candidate} ${statusWords[status]}`;
}

/** What goes on after the promotion, and that it needs a controller. */
function afterwards({ plan }: Rollout, { attended }: OutcomeOptions, look: Look): readonly string[] {
  const keptMs = plan.steps.reduce(
    (most, { step }) => (step.kind === 'promote' ? Math.max(most, step.keepOldMs) : most),
    0,
  );
  const watchMs = plan.spec.watch.forMs;
  const lines: string[] = [];
  if (plan.stable !== undefined && keptMs > 0) {
    const warm = `${clean(plan.stable.id)} stays warm for ${formatDuration(keptMs)}: going back is one switch`;
    lines.push(...hanging('  before    ', warm, look.width));
  }
  if (watchMs > 0 && attended) {
    const watched = `for ${formatDuration(watchMs)} more: a failing gate or health goes back by itself`;
    lines.push(...hanging('  watched   ', watched, look.width));
  }
  if (!attended && (keptMs > 0 || watchMs > 0)) {
    const alone = `by nobody from now on: no server is at work. \`${look.command('server')}\` watches, and stops what is warm`;
    lines.push(...hanging('  watched   ', alone, look.width).map(look.paint.warn));
  }
  return lines;
}

/** When it was decided to go back, and how long it then took until all traffic was on stable. */
function times(rollout: Rollout, look: Look): readonly string[] {
  const { wentBackAt, safeAt, badSince, plan } = rollout;
  if (wentBackAt === undefined) return [];
  const noticed = badSince === undefined ? '' : `, ${lasted(wentBackAt - badSince)} after the first sign`;
  const decided = `decided ${moment(wentBackAt, look.now, look.zone)}${noticed}`;
  const safe =
    safeAt === undefined
      ? plan.stable === undefined
        ? ''
        : ', all traffic on stable: not confirmed'
      : `, ${plan.stable === undefined ? 'no traffic on it' : 'all traffic on stable'} ${lasted(safeAt - wentBackAt)} later`;
  return hanging('  times     ', decided + safe, look.width);
}

/** The judgement that it stands on: the newest one. */
function evidence(rollout: Rollout, look: Look): readonly string[] {
  const judgement = rollout.hold?.judgement ?? rollout.judgements.at(-1)?.judgement;
  if (judgement === undefined) return [];
  if (judgement.candidate.requests === 0 && !judgement.verdicts.some(({ value }) => value !== undefined)) {
    return hanging('  evidence  ', 'none: no requests were seen while the gates looked on', look.width);
  }
  return ['', ...renderEvidence(judgement, look)];
}

function whatFailedMeans(look: Look): readonly string[] {
  return [
    '',
    ...hanging(
      '  ',
      'Sluice leaves traffic and instances as they are now and does nothing more by itself.',
      look.width,
    ).map(look.paint.warn),
  ];
}
