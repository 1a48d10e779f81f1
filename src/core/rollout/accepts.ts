// Which commands a deployment takes in its state, and what to tell a person whose command it does not take.

import { Failure } from '../../base/failure.ts';
import type { Command } from './event.ts';
import { currentStep, type Rollout } from './rollout.ts';
import { isFinal, isWaiting } from './status.ts';

/** Throws `deployment.command` where the state does not take the command. */
export function assertAccepts(rollout: Rollout, command: Command): void {
  const problem = problemOf(rollout, command);
  if (problem === undefined) return;
  throw new Failure('deployment.command', `\`${command.kind}\` does not fit: ${problem}`, {
    at: rollout.id,
    remedy: 'Look at its state with `sluice status`.',
    details: { status: rollout.status },
  });
}

function problemOf(rollout: Rollout, command: Command): string | undefined {
  if (isFinal(rollout.status)) return `deployment ${rollout.id} has ended (${rollout.status})`;
  if (rollout.course === 'back') return `deployment ${rollout.id} is going back already`;
  switch (command.kind) {
    case 'promote':
      return promoteProblem(rollout);
    case 'pause':
      return isWaiting(rollout.status) ? `deployment ${rollout.id} waits for a person already` : undefined;
    case 'resume':
      return rollout.status === 'PAUSED' ? undefined : `deployment ${rollout.id} is not paused (${rollout.status})`;
    case 'abort':
      return undefined;
  }
}

function promoteProblem(rollout: Rollout): string | undefined {
  const step = currentStep(rollout)?.step;
  if (step?.kind === 'hold' || step?.kind === 'wait') return undefined;
  return `deployment ${rollout.id} is in ${rollout.status}, between stages; try again when it holds`;
}
