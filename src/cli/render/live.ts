// The live view: a deployment under way as a block of lines that is drawn again and again in the same place.

import type { LiveNumbers } from '../context.ts';
import type { EventRecord } from '../../core/rollout/record.ts';
import type { Rollout } from '../../core/rollout/rollout.ts';
import { isWaiting } from '../../core/rollout/status.ts';
import { newestJudgement, renderEvidence, renderHeadline, renderReason, renderReleases } from './deployment.ts';
import type { Look } from './look.ts';
import { commandsFor, renderCommands } from './next-commands.ts';
import { renderProgress, type StepTimes, type Window } from './progress.ts';
import { clean, fit } from './text.ts';
import { renderTraffic } from './traffic.ts';
import { moment } from './units.ts';

export interface LiveView {
  readonly rollout: Rollout;
  readonly live?: LiveNumbers | undefined;
  readonly times: StepTimes;
  /** The newest record. */
  readonly latest?: EventRecord | undefined;
  /** A word on the connection or on what Ctrl-C does; shown last. */
  readonly note: string;
}

/** At most `rows` lines, none wider than the look's width. */
export function renderLive(view: LiveView, rows: number, look: Look): readonly string[] {
  for (const window of windows) {
    const lines = block(view, window, look);
    if (lines.length <= rows) return lines;
  }
  const tight = block(view, { before: 0, after: 0 }, look).filter((line) => line !== '');
  return tight.slice(0, Math.max(1, rows));
}

const windows: readonly Window[] = [
  { before: 3, after: 3 },
  { before: 1, after: 2 },
  { before: 0, after: 1 },
  { before: 0, after: 0 },
];

function block(view: LiveView, window: Window, look: Look): readonly string[] {
  const { rollout, live } = view;
  const judgement = newestJudgement(rollout, live);
  return [
    ...renderHeadline(rollout, look),
    ...renderReleases(rollout, look),
    ...renderTraffic(rollout, look),
    ...renderReason(rollout, look),
    '',
    ...renderProgress(rollout, view.times, window, look),
    ...(judgement === undefined ? [] : ['', ...renderEvidence(judgement, look, live?.requestsPerSecond)]),
    '',
    ...(isWaiting(rollout.status) ? renderCommands(commandsFor(rollout), rollout.plan.scope, look) : []),
    ...latestLine(view.latest, look),
    look.paint.dim(fit(`  ${clean(view.note)}`, look.width)),
  ];
}

function latestLine(record: EventRecord | undefined, look: Look): readonly string[] {
  if (record === undefined) return [];
  return [look.paint.dim(fit(`  ${moment(record.at, look.now, look.zone)}  ${clean(record.words)}`, look.width))];
}
