// What must hold after every event, checked before the commit and after a load; a broken one stops the controller, not the traffic.

import { assert } from '../../base/assert.ts';
import { allTraffic } from '../routes.ts';
import type { RolloutEvent } from './event.ts';
import type { Rollout } from './rollout.ts';
import { isFinal } from './status.ts';

/** The state by itself. */
export function assertSound(rollout: Rollout): void {
  assert(rollout.share >= 0 && rollout.share <= allTraffic, `share ${rollout.share} of ${rollout.id} is no share`);
  assert(rollout.share <= allowedShare(rollout), `share ${rollout.share} of ${rollout.id} is above its stage`);
  if (isFinal(rollout.status))
    assert(rollout.awaiting === undefined, `${rollout.id} has ended but awaits ${rollout.awaiting ?? ''}`);
  if (rollout.status === 'VERIFIED') assert(rollout.course === 'forward', `${rollout.id} is verified on its way back`);
  if (rollout.status === 'ROLLED_BACK')
    assert(rollout.course === 'back', `${rollout.id} is rolled back on its way forward`);
  if (rollout.confidences?.at(-1)?.outcome === 'go-back')
    assert(
      rollout.course === 'back' || rollout.status === 'FAILED',
      `${rollout.id} goes on although its confidence is too low`,
    );
}

/** The change from one state to the next. */
export function assertSoundChange(before: Rollout, event: RolloutEvent, after: Rollout): void {
  assert(
    after.version === before.version + 1,
    `version of ${after.id} went from ${before.version} to ${after.version}`,
  );
  assert(after.revision >= before.revision, `routes of ${after.id} went back from revision ${before.revision}`);
  if (before.course === 'back') {
    assert(after.course === 'back', `${after.id} turned forward again`);
    assert(after.share <= before.share, `${after.id} gives more traffic on its way back`);
  }
  if (event.kind === 'judged' && event.judgement.outcome === 'fail' && event.hold === before.hold?.id) {
    assert(after.course === 'back' || after.status === 'FAILED', `${after.id} goes on although its gate failed`);
  }
  assertSound(after);
}

/** The most that any step up to the current one allows; on the way back, what was given before. */
function allowedShare(rollout: Rollout): number {
  if (rollout.course === 'back' || rollout.plan.strategy === 'same') return allTraffic;
  return rollout.plan.steps
    .slice(0, rollout.step + 1)
    .reduce((most, { step }) => (step.kind === 'shift' ? Math.max(most, step.share) : most), 0);
}
