// Deployments of the past: a table of them, and one with all its records and their evidence.

import type { DeploymentDetail } from '../context.ts';
import type { Rollout } from '../../core/rollout/rollout.ts';
import { isFinal } from '../../core/rollout/status.ts';
import { scopeName } from '../../core/scope.ts';
import type { Look } from './look.ts';
import { renderReason } from './deployment.ts';
import { strategyWords } from './plan.ts';
import { renderRecord } from './record.ts';
import { labelOf, releaseName } from './release.ts';
import { clean, columnsOf, fit, hanging, padEnd, table } from './text.ts';
import { lasted, moment, stamp, zoneName } from './units.ts';
import { tone } from './words.ts';

/** Newest first. Each deployment takes one line, and a second one for its reason where it did not go well. */
export function renderHistory(rollouts: readonly Rollout[], look: Look): readonly string[] {
  if (rollouts.length === 0) return ['No deployments yet.'];
  const several = new Set(rollouts.map((rollout) => scopeName(rollout.plan.scope))).size > 1;
  const heading = ['when', 'result', 'took', 'how', ...(several ? ['where'] : []), 'release', 'by', 'id'];
  const [head = '', ...rows] = table([heading, ...rollouts.map((rollout) => row(rollout, several, look))]);
  return [
    look.paint.dim(fit(head, look.width)),
    ...rollouts.flatMap((rollout, index) => entry(rollout, rows[index] ?? '', look)),
  ];
}

function row(rollout: Rollout, several: boolean, look: Look): readonly string[] {
  const { plan } = rollout;
  const label = labelOf(plan.candidate);
  return [
    stamp(rollout.createdAt, look.zone).slice(0, 16),
    rollout.status,
    lasted((rollout.endedAt ?? look.now) - rollout.createdAt),
    strategyWords[plan.strategy].replace(' deployment', ''),
    ...(several ? [fit(clean(scopeName(plan.scope)), 24)] : []),
    label === '' ? clean(plan.candidate.id) : label,
    fit(clean(rollout.createdBy), 16),
    clean(rollout.id),
  ];
}

/** Where the line does not fit, the id moves to the line below: it is what `history show` needs. */
function entry(rollout: Rollout, line: string, look: Look): readonly string[] {
  const paint = tone(rollout.status, look);
  const coloured = (text: string): string => text.replace(rollout.status, () => paint(rollout.status));
  const lines: string[] = [];
  if (columnsOf(line) <= look.width) lines.push(coloured(line));
  else lines.push(coloured(fit(line, look.width)), look.paint.dim(`  ${clean(rollout.id)}`));
  const why = isFinal(rollout.status) && rollout.status !== 'VERIFIED' ? rollout.reason : undefined;
  return why === undefined ? lines : [...lines, ...hanging('  ', clean(why), look.width).map(look.paint.dim)];
}

export function renderDetail({ rollout, records }: DeploymentDetail, look: Look): readonly string[] {
  const { plan } = rollout;
  const { paint, width, zone, now } = look;
  const ended = rollout.endedAt === undefined ? 'not ended' : `ended ${moment(rollout.endedAt, now, zone)}`;
  const took = `${stamp(rollout.createdAt, zone)} by ${clean(rollout.createdBy)}, ${ended}, ${lasted((rollout.endedAt ?? now) - rollout.createdAt)}`;
  return [
    paint.bold(`${clean(rollout.id)}  ${strategyWords[plan.strategy]} of ${clean(scopeName(plan.scope))}`),
    '',
    `${padEnd('  result', 12)}${tone(rollout.status, look)(rollout.status)}`,
    ...hanging('  release   ', releaseName(plan.candidate), width),
    ...(plan.stable === undefined ? [] : hanging('  replaced  ', releaseName(plan.stable), width)),
    ...hanging('  begun     ', took, width),
    ...renderReason(rollout, look),
    ...recovery(rollout, look),
    '',
    paint.dim(`  Times in ${zoneName(rollout.createdAt, zone)}.`),
    '',
    ...records.flatMap((record) => renderRecord(record, look)),
  ];
}

function recovery(rollout: Rollout, look: Look): readonly string[] {
  const { wentBackAt, safeAt } = rollout;
  if (wentBackAt === undefined || safeAt === undefined) return [];
  return hanging(
    '  recovery  ',
    `all traffic on stable ${lasted(safeAt - wentBackAt)} after the decision to go back`,
    look.width,
  );
}
