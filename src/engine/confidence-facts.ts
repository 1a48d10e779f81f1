// What a plan knows for its confidence scores: what came with the order, and how earlier deployments turned out.

import type { ConfidenceFacts, PastOutcome, ReleaseFacts } from '../core/decision/facts.ts';
import { pastOutcomes } from '../core/decision/past-outcomes.ts';
import type { Scope } from '../core/scope.ts';
import type { Store } from '../ports/store.ts';

/** Deployments that are looked back on, rollbacks included. */
const looked = 100;

export async function confidenceFacts(
  store: Store,
  scope: Scope,
  release: ReleaseFacts = {},
): Promise<ConfidenceFacts> {
  const past: readonly PastOutcome[] = pastOutcomes(await store.rollouts({ scope, limit: looked }));
  return { release, past };
}
