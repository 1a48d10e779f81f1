// Steps of a plan in words: a short line for lists, and the particulars that a plan adds to it.

import { formatDuration } from '../../base/duration.ts';
import type { Plan } from '../../core/plan/plan.ts';
import type { HoldStep, Role, Step } from '../../core/plan/step.ts';
import { addressName } from '../../core/instance.ts';
import { allTraffic, shareText } from '../../core/routes.ts';
import { gateCheckWords } from './gate-check.ts';
import { clean } from './text.ts';
import { count, counted } from './units.ts';

/** What the step does, in a few words. */
export function stepWords(step: Step, plan: Plan): string {
  switch (step.kind) {
    case 'stage':
      return 'copy the release into the release store';
    case 'start':
      return `start ${counted(step.instances, 'instance')} of ${whose(step.role, plan)}`;
    case 'validate':
      return `ask ${whose(step.role, plan)} ${counted(step.checks, 'validation check')} ${through[step.through]}`;
    case 'preview':
      return `show ${whose(step.role, plan)} at the preview address${previewAddress(plan)}`;
    case 'wait':
      return `wait ${formatDuration(step.forMs)}: ${clean(step.why)}`;
    case 'shift':
      return shiftWords(step.share, plan);
    case 'drain':
      return `take ${amountLeft(step.keep, step.role, plan)} out of traffic`;
    case 'stop':
      return `stop ${amountLeft(step.keep, step.role, plan)}`;
    case 'hold':
      return `hold ${clean(step.name)}`;
    case 'promote':
      return `${whose('candidate', plan)} becomes stable`;
  }
}

/** Limits and conditions of the step, one sentence each. */
export function stepParticulars(step: Step, plan: Plan): readonly string[] {
  switch (step.kind) {
    case 'start':
      return [`healthy within ${formatDuration(step.timeoutMs)}`];
    case 'drain':
      return [`requests in flight may go on for ${formatDuration(step.withinMs)}`];
    case 'stop':
      return [`SIGKILL after ${formatDuration(step.graceMs)}`];
    case 'hold':
      return holdParticulars(step);
    case 'promote':
      return promoteParticulars(step.keepOldMs, plan);
    case 'stage':
    case 'validate':
    case 'preview':
    case 'wait':
    case 'shift':
      return [];
  }
}

const through = {
  instances: 'at each of its instances',
  preview: 'at the preview address',
  service: 'through the service',
} as const;

function whose(role: Role, plan: Plan): string {
  const release = role === 'candidate' ? plan.candidate : (plan.stable ?? plan.candidate);
  return clean(release.id);
}

function previewAddress({ spec }: Plan): string {
  if (spec.router.driver !== 'embedded' || spec.router.preview === undefined) return '';
  return ` ${clean(addressName(spec.router.preview))}`;
}

function shiftWords(share: number, plan: Plan): string {
  if (share === allTraffic) return `send all traffic to ${whose('candidate', plan)}`;
  if (share > 0) return `send ${shareText(share)} of traffic to ${whose('candidate', plan)}`;
  return plan.stable === undefined ? 'serve nothing, as before' : `send all traffic to ${whose('stable', plan)}`;
}

function amountLeft(keep: number, role: Role, plan: Plan): string {
  return keep === 0 ? `all instances of ${whose(role, plan)}` : `instances of ${whose(role, plan)} but ${keep}`;
}

function holdParticulars(step: HoldStep): readonly string[] {
  const least: string[] = [];
  if (step.atLeastMs > 0) least.push(`at least ${formatDuration(step.atLeastMs)}`);
  if (step.requests > 0) least.push(`at least ${count(step.requests)} requests`);
  return [
    ...(least.length > 0 ? [least.join(', ')] : []),
    ...step.checks.map(gateCheckWords),
    ...(step.promotion === 'manual' ? ['then waits for `sluice promote`'] : []),
    ...(step.maxMs > step.atLeastMs && step.noData === 'hold'
      ? [`pauses for a person after ${formatDuration(step.maxMs)} without a conclusion`]
      : []),
  ];
}

function promoteParticulars(keepOldMs: number, plan: Plan): readonly string[] {
  if (plan.stable === undefined) return [];
  if (keepOldMs === 0) return [];
  return [`${clean(plan.stable.id)} stays warm for ${formatDuration(keepOldMs)}: going back is one switch`];
}
