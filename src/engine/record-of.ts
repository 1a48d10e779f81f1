// The record of an event: what happened, what it changed, and both in words.

import { describeEvent } from '../core/rollout/describe-event.ts';
import type { RolloutEvent } from '../core/rollout/event.ts';
import type { RecordDraft } from '../core/rollout/record.ts';
import type { Rollout } from '../core/rollout/rollout.ts';

export function recordOf(before: Rollout, event: RolloutEvent, after: Rollout): RecordDraft {
  return {
    at: after.at,
    scope: after.plan.scope,
    deployment: after.id,
    version: after.version,
    from: before.status,
    to: after.status,
    actor: event.actor,
    event,
    words: describeEvent(before, event, after),
  };
}
