// What is known of the release in this checkout, gathered where a confidence score will be asked for.

import type { FactSources } from '../config/resolve-confidence.ts';
import type { ReleaseFacts } from '../core/decision/facts.ts';
import type { DeploySpec } from '../core/plan/spec.ts';
import type { Scope } from '../core/scope.ts';
import type { Client } from './context.ts';
import type { Session } from './session.ts';

/** Undefined where the configuration asks for no score. Rejects with `report.invalid`; what git cannot say is only noted. */
export async function releaseFacts(
  session: Session,
  client: Client,
  { spec, sources }: { readonly spec: DeploySpec; readonly sources: FactSources },
): Promise<ReleaseFacts | undefined> {
  if (spec.confidence === undefined) return undefined;
  const { collectFacts } = await import('../reports/collect.ts');
  const stable = sources.base === undefined ? await stableCommit(client, spec.scope) : undefined;
  const { facts, notes } = await collectFacts({ ...sources, stable });
  for (const note of notes) session.out.note(note);
  return facts;
}

/** Deployments that are looked through for the one that stable came by. */
const looked = 100;

/** The commit that stable was deployed from, where the one who deployed it could tell. */
async function stableCommit(client: Client, scope: Scope): Promise<string | undefined> {
  const [status] = await client.status(scope);
  const stable = status?.situation.stable?.release.id;
  if (stable === undefined) return undefined;
  const rollouts = await client.history({ scope, limit: looked });
  const commits = rollouts.map(({ plan }) => plan.candidate.id === stable && plan.confidence?.release.change?.commit);
  return commits.find((commit) => typeof commit === 'string');
}
