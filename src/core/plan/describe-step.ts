// Steps in words: the same sentences in `plan`, in the live view and in the record.

import { formatDuration } from '../../base/duration.ts';
import { shareText } from '../routes.ts';
import type { PlannedStep } from './plan.ts';
import type { Plan } from './plan.ts';
import type { Role, Step, Through } from './step.ts';

function describeStage({ id, artifact }: Plan['candidate']): string {
  if (artifact.kind === 'directory') return `copy ${id} into the release store`;
  return `make sure of the image of ${id}`;
}

/** What a step does, as a short sentence without full stop. */
export function describeStep(planned: PlannedStep, plan: Plan): string {
  const { step } = planned;
  const name = (role: Role) => (role === 'candidate' ? plan.candidate.id : (plan.stable?.id ?? plan.candidate.id));
  switch (step.kind) {
    case 'stage':
      return describeStage(plan.candidate);
    case 'start':
      return describeStart(planned, step, name(step.role), plan);
    case 'validate':
      return `validate ${name(step.role)} ${throughWords[step.through]}: ${step.checks} check${step.checks === 1 ? '' : 's'}`;
    case 'preview':
      return `show ${name(step.role)} at the preview address`;
    case 'wait':
      return `wait ${formatDuration(step.forMs)} (${step.why})`;
    case 'shift':
      return describeShift(step.share, plan);
    case 'drain':
      return `take ${keepWords(step.keep, name(step.role))} out of traffic, requests in flight end within ${formatDuration(step.withinMs)}`;
    case 'stop':
      if (adopted(plan) !== undefined) return `give ${adopted(plan) ?? ''} back to Compose, running`;
      return `stop ${keepWords(step.keep, name(step.role))}, by force after ${formatDuration(step.graceMs)}`;
    case 'hold':
      return describeHold(step, plan);
    case 'promote':
      return `promote ${plan.candidate.id}${step.keepOldMs > 0 ? `, ${name('stable')} stays warm for ${formatDuration(step.keepOldMs)}` : ''}`;
  }
}

/** What Compose started and this deployment takes over; undefined: nothing. */
function adopted({ spec: { platform } }: Plan): string | undefined {
  if (platform.driver !== 'docker' || platform.adopt === undefined) return undefined;
  const { service, project } = platform.adopt;
  return `the running containers of ${service} of the Compose project ${project}`;
}

function describeStart(
  planned: PlannedStep,
  step: Extract<Step, { kind: 'start' }>,
  release: string,
  plan: Plan,
): string {
  const within = `healthy within ${formatDuration(step.timeoutMs)}`;
  const containers = adopted(plan);
  if (containers !== undefined)
    return `take over ${containers} as ${release}, without a restart, and start what is missing of ${step.instances}; ${within}`;
  if (planned.status === 'ROLLING_BACK')
    return `start again what is missing of ${step.instances} × ${release}, ${within}`;
  return `start ${step.instances} × ${release}, ${within}`;
}

const throughWords: Readonly<Record<Through, string>> = {
  instances: 'at its instances',
  preview: 'at the preview address',
  service: 'through the router',
};

function describeShift(share: number, plan: Plan): string {
  if (share > 0) return `${shareText(share)} of traffic to ${plan.candidate.id}`;
  return plan.stable === undefined ? 'take all traffic away' : `all traffic to ${plan.stable.id}`;
}

function keepWords(keep: number, release: string): string {
  return keep === 0 ? `all of ${release}` : `all but ${keep} of ${release}`;
}

function describeHold(step: Extract<Step, { kind: 'hold' }>, plan: Plan): string {
  if (step.confidence !== undefined && step.checks.length === 0 && step.maxMs === 0) {
    return `${step.name}: ${confidenceWords(step, plan)}`;
  }
  if (step.checks.length === 0 && step.promotion === 'manual') return `${step.name}: wait for \`sluice promote\``;
  const parts = [`at least ${formatDuration(step.atLeastMs)}`];
  if (step.requests > 0) parts.push(`${step.requests} requests`);
  if (step.checks.length > 0) parts.push(`${step.checks.length} gate${step.checks.length === 1 ? '' : 's'}`);
  if (step.confidence !== undefined) parts.push(confidenceWords(step, plan));
  else if (step.promotion === 'manual') parts.push('then `sluice promote`');
  return `${step.name}: ${parts.join(', ')}`;
}

function confidenceWords(step: Extract<Step, { kind: 'hold' }>, plan: Plan): string {
  const { goOn = 0, ask = 0 } = plan.spec.confidence ?? {};
  if (step.promotion === 'manual') return `\`sluice promote\` where the confidence is at least ${ask}`;
  return `a confidence of at least ${goOn}, or of ${ask} and \`sluice promote\``;
}
