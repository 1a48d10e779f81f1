// The status of scopes: what is happening, since when, why, by whom, and what a person can do next.

import type { ScopeStatus } from '../context.ts';
import type { Rollout } from '../../core/rollout/rollout.ts';
import { lastGood, type Placement, type Removal, type Situation } from '../../core/rollout/situation.ts';
import { isWaiting } from '../../core/rollout/status.ts';
import { scopeName } from '../../core/scope.ts';
import { newestJudgement, renderEvidence, renderHeadline, renderReason, renderReleases } from './deployment.ts';
import { renderConfidence } from './confidence.ts';
import type { Look } from './look.ts';
import { commandsBetween, commandsFor, renderCommands } from './next-commands.ts';
import { noTimes, renderProgress } from './progress.ts';
import { exitedTexts, instancesText, labelOf, releaseName } from './release.ts';
import { renderRouter, renderServed, renderTraffic } from './traffic.ts';
import { clean, hanging } from './text.ts';
import { lasted, left, moment } from './units.ts';
import { tone } from './words.ts';

/** A scope with its newest deployment, where one has ended. */
export interface ScopeView extends ScopeStatus {
  readonly last?: Rollout | undefined;
  /** Whether a server is at work; without one nobody looks on between deployments. */
  readonly served: boolean;
}

export function renderScopes(views: readonly ScopeView[], look: Look): readonly string[] {
  if (views.length === 0) {
    return [
      'Nothing is deployed yet.',
      '',
      `  Begin with ${look.command('deploy')}, or see everything at work with ${look.command('demo')}.`,
    ];
  }
  return views.flatMap((view, index) => [...(index === 0 ? [] : ['']), ...renderScope(view, look)]);
}

export function renderScope(view: ScopeView, look: Look): readonly string[] {
  return view.active === undefined ? between(view, look) : underWay(view, view.active, look);
}

function underWay(view: ScopeView, rollout: Rollout, look: Look): readonly string[] {
  const judgement = newestJudgement(rollout, view.live);
  return [
    ...renderHeadline(rollout, look),
    '',
    ...renderReleases(rollout, look),
    ...renderTraffic(rollout, look),
    ...renderRouter(view.routes, rollout, look),
    ...renderReason(rollout, look),
    ...who(view, rollout, look),
    ...renderInstances(view, look),
    '',
    ...renderProgress(rollout, noTimes, { before: 3, after: 4 }, look),
    ...waitingConfidence(rollout, look),
    ...(judgement === undefined ? [] : ['', ...renderEvidence(judgement, look, view.live?.requestsPerSecond)]),
    '',
    look.paint.dim('  What you can do:'),
    ...renderCommands(commandsFor(rollout), rollout.plan.scope, look),
  ];
}

/** The newest score, while a person has to decide by it. */
function waitingConfidence(rollout: Rollout, look: Look): readonly string[] {
  const newest = rollout.confidences?.at(-1);
  return newest === undefined || !isWaiting(rollout.status) ? [] : ['', ...renderConfidence(newest, look)];
}

/** Who began it and when, who carries it out, and the warning when nobody does. */
function who(view: ScopeView, rollout: Rollout, look: Look): readonly string[] {
  const { width, paint, now, zone } = look;
  const began = `${moment(rollout.createdAt, now, zone)} by ${clean(rollout.createdBy)}, ${clean(rollout.id)}`;
  const since = `newest event ${lasted(now - rollout.at)} ago${deadline(rollout, now)}`;
  return [
    ...hanging('  begun     ', began, width),
    ...hanging('            ', since, width).map(paint.dim),
    ...attendance(view, look),
  ];
}

function deadline(rollout: Rollout, now: number): string {
  if (isWaiting(rollout.status)) return '; no deadline runs while it waits';
  if (rollout.course === 'back') return '';
  return `; goes back by itself in ${left(rollout.deadlineAt - now)} if it has not ended`;
}

function attendance({ lease, attended }: ScopeView, look: Look): readonly string[] {
  const holder = lease === undefined ? '' : `process ${lease.holder.pid} on ${clean(lease.holder.host)}`;
  if (attended)
    return holder === ''
      ? []
      : hanging('  attended  ', `${holder}, since ${moment(lease?.since ?? 0, look.now, look.zone)}`, look.width);
  const ended = holder === '' ? 'no controller is at work' : `the controller (${holder}) is gone`;
  return hanging(
    '  ALONE     ',
    `${ended}: traffic stays as it is, and nobody judges it. \`${look.command('server')}\` takes the deployment up; so does any command below.`,
    look.width,
  ).map(look.paint.warn);
}

function between(view: ScopeView, look: Look): readonly string[] {
  const { situation } = view;
  const { paint, width } = look;
  return [
    betweenHeadline(view, look),
    '',
    ...(situation.stable === undefined ? [] : hanging('  stable    ', placed(situation.stable, look), width)),
    ...earlier(situation, look),
    ...watching(view, look),
    ...renderServed(view.routes, situation.stable?.release.id, look),
    ...renderInstances(view, look),
    ...lastDeployment(view, look),
    '',
    paint.dim('  What you can do:'),
    ...renderCommands(commandsBetween(view), situation.scope, look),
  ];
}

/** Steady or not: the first line says whether somebody has to act. */
function betweenHeadline({ situation, last }: ScopeView, look: Look): string {
  const { paint, glyphs } = look;
  const name = paint.bold(clean(scopeName(situation.scope)));
  if (situation.removal !== undefined)
    return `${paint.warn(glyphs.dot)} ${name}  ${takenAway(situation.removal, look)}`;
  if (last?.status === 'FAILED') {
    return `${paint.bad(glyphs.failed)} ${name}  ${paint.bad('the last deployment FAILED: a person must look')}`;
  }
  if (situation.stable === undefined) return `${paint.warn(glyphs.dot)} ${name}  no release is stable yet`;
  if (last?.status === 'ROLLED_BACK') {
    return `${paint.warn(glyphs.dot)} ${name}  steady; the last deployment went back`;
  }
  return `${paint.good(glyphs.dot)} ${name}  steady; no deployment is under way`;
}

function takenAway({ at, actor, finished }: Removal, look: Look): string {
  const by = `${moment(at, look.now, look.zone)} by ${clean(actor)}`;
  return finished ? `taken away ${by}` : look.paint.warn(`to be taken away since ${by}, and not all of it is gone`);
}

function placed(placement: Placement, look: Look): string {
  return `${releaseName(placement.release)}, since ${moment(placement.since, look.now, look.zone)} (${lasted(look.now - placement.since)})`;
}

function earlier(situation: Situation, look: Look): readonly string[] {
  const good = lastGood(situation);
  if (good === undefined) return [];
  const warm = situation.warm?.placement.release.id === good.release.id ? situation.warm : undefined;
  const state =
    warm === undefined ? 'not running' : `warm for ${left(warm.until - look.now)} more: going back is one switch`;
  return hanging('  before    ', `${releaseName(good.release)}, ${state}`, look.width);
}

function watching({ situation, served }: ScopeView, look: Look): readonly string[] {
  const { watch } = situation;
  if (watch === undefined || watch.until <= look.now) return [];
  if (!served) {
    const words = `by nobody: no server is at work. \`${look.command('server')}\` watches for the ${left(watch.until - look.now)} that are left`;
    return hanging('  watched   ', words, look.width).map(look.paint.warn);
  }
  const words = `for ${left(watch.until - look.now)} more: a failing gate or health goes back by itself`;
  return hanging('  watched   ', words, look.width);
}

export function renderInstances(view: ScopeStatus, look: Look): readonly string[] {
  const ids = [...new Set(view.instances.map((instance) => instance.release))];
  const several = ids.length > 1;
  const groups = ids.length === 0 ? [undefined] : ids;
  const lines = groups.flatMap((id, index) => {
    const own = id === undefined ? [] : view.instances.filter((instance) => instance.release === id);
    const whose = several && id !== undefined ? `${clean(id)}: ` : '';
    return hanging(index === 0 ? '  instances ' : '            ', whose + instancesText(own), look.width);
  });
  const exited = exitedTexts(view.instances).flatMap((text) => hanging('            ', text, look.width));
  return [...lines, ...exited.map(look.paint.warn)];
}

/** How the newest deployment ended: the first thing to know when something is wrong. */
function lastDeployment({ last }: ScopeView, look: Look): readonly string[] {
  if (last === undefined) return [];
  const label = labelOf(last.plan.candidate);
  const what = `${last.status} ${moment(last.endedAt ?? last.at, look.now, look.zone)}, ${clean(last.plan.candidate.id)}${label === '' ? '' : ` (${label})`} by ${clean(last.createdBy)}`;
  const [first = '', ...rest] = hanging('  last      ', what, look.width);
  return [
    first.replace(last.status, () => tone(last.status, look)(last.status)),
    ...rest,
    ...(last.status === 'VERIFIED' ? [] : renderReason(last, look)),
  ];
}
