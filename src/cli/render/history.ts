// Deployments of the past: a table of them, and one with all its records and their evidence.

import type { DeploymentDetail } from '../context.ts';
import type { Rollout } from '../../core/rollout/rollout.ts';
import { isFinal } from '../../core/rollout/status.ts';
import { scopeName } from '../../core/scope.ts';
import type { Look } from './look.ts';
import { renderConfidence } from './confidence.ts';
import { renderReason } from './deployment.ts';
import { strategyWords } from './plan.ts';
import { renderRecord } from './record.ts';
import { labelOf, releaseName } from './release.ts';
import { clean, columnsOf, fit, hanging, padEnd, table } from './text.ts';
import { lasted, moment, stamp, zoneName } from './units.ts';
import { tone } from './words.ts';

/** Newest first. Each deployment takes one line, and further ones for its reason where it did not go well. */
export function renderHistory(rollouts: readonly Rollout[], look: Look): readonly string[] {
  if (rollouts.length === 0) return ['No deployments yet.'];
  const several = new Set(rollouts.map((rollout) => scopeName(rollout.plan.scope))).size > 1;
  const columns = columnsThatFit(
    rollouts,
    several ? allColumns : allColumns.filter((column) => column !== 'where'),
    look,
  );
  const [head = '', ...rows] = rowsOf(rollouts, columns, look);
  return [
    look.paint.dim(fit(head, look.width)),
    ...rollouts.flatMap((rollout, index) => entry(rollout, rows[index] ?? '', columns, look)),
  ];
}

const allColumns = ['when', 'result', 'took', 'how', 'where', 'release', 'by', 'id'] as const;
type Column = (typeof allColumns)[number];

/** What is given up first where the terminal is narrow; an id that has no room beside the others stands below. */
const dispensable: readonly Column[] = ['by', 'how', 'id', 'took'];

function columnsThatFit(rollouts: readonly Rollout[], all: readonly Column[], look: Look): readonly Column[] {
  let columns = all;
  for (const column of dispensable) {
    if (rowsOf(rollouts, columns, look).every((line) => columnsOf(line) <= look.width)) break;
    columns = columns.filter((one) => one !== column);
  }
  return columns;
}

function rowsOf(rollouts: readonly Rollout[], columns: readonly Column[], look: Look): readonly string[] {
  return table([columns, ...rollouts.map((rollout) => columns.map((column) => cell(rollout, column, look)))]);
}

function cell(rollout: Rollout, column: Column, look: Look): string {
  const { plan } = rollout;
  switch (column) {
    case 'when':
      return stamp(rollout.createdAt, look.zone).slice(0, 16);
    case 'result':
      return rollout.status;
    case 'took':
      return lasted((rollout.endedAt ?? look.now) - rollout.createdAt);
    case 'how':
      return strategyWords[plan.strategy].replace(' deployment', '');
    case 'where':
      return fit(clean(scopeName(plan.scope)), 24);
    case 'release':
      return labelOf(plan.candidate) || clean(plan.candidate.id);
    case 'by':
      return fit(clean(rollout.createdBy), 16);
    case 'id':
      return clean(rollout.id);
  }
}

function entry(rollout: Rollout, line: string, columns: readonly Column[], look: Look): readonly string[] {
  const paint = tone(rollout.status, look);
  const why = isFinal(rollout.status) && rollout.status !== 'VERIFIED' ? rollout.reason : undefined;
  return [
    fit(line, look.width).replace(rollout.status, () => paint(rollout.status)),
    ...(columns.includes('id') ? [] : [`  ${clean(rollout.id)}`]),
    ...(why === undefined ? [] : hanging('  ', clean(why), look.width).map(look.paint.dim)),
  ];
}

export function renderDetail({ rollout, records }: DeploymentDetail, look: Look): readonly string[] {
  const { plan } = rollout;
  const { paint, width, zone, now } = look;
  const ended = rollout.endedAt === undefined ? 'not ended' : `ended ${moment(rollout.endedAt, now, zone)}`;
  const took = `${stamp(rollout.createdAt, zone)} by ${clean(rollout.createdBy)}, ${ended}, ${lasted((rollout.endedAt ?? now) - rollout.createdAt)}`;
  return [
    paint.bold(fit(`${clean(rollout.id)}  ${strategyWords[plan.strategy]} of ${clean(scopeName(plan.scope))}`, width)),
    '',
    `${padEnd('  result', 12)}${tone(rollout.status, look)(rollout.status)}`,
    ...hanging('  release   ', releaseName(plan.candidate), width),
    ...(plan.stable === undefined ? [] : hanging('  replaced  ', releaseName(plan.stable), width)),
    ...hanging('  begun     ', took, width),
    ...renderReason(rollout, look),
    ...recovery(rollout, look),
    ...(rollout.confidences ?? []).flatMap((confidence) => ['', ...renderConfidence(confidence, look)]),
    '',
    paint.dim(`  Times in ${zoneName(rollout.createdAt, zone)}.`),
    '',
    ...records.flatMap((record) => renderRecord(record, look)),
  ];
}

function recovery(rollout: Rollout, look: Look): readonly string[] {
  const { safeAt, badSince, plan } = rollout;
  const decidedAt = rollout.wentBackAt ?? (plan.strategy === 'rollback' ? rollout.createdAt : undefined);
  if (decidedAt === undefined || safeAt === undefined) return [];
  const noticed = badSince === undefined ? '' : `noticed ${lasted(decidedAt - badSince)} after the first sign; `;
  const where = rollout.wentBackAt === undefined ? plan.candidate.id : 'stable';
  return hanging(
    '  recovery  ',
    `${noticed}all traffic on ${clean(where)} ${lasted(safeAt - decidedAt)} after the decision to go back`,
    look.width,
  );
}
