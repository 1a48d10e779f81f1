// `sluice remove`: takes a service away, with its instances and what listens for it.

import type { Command } from 'commander';
import { Failure } from '../../base/failure.ts';
import { type Scope, scopeName, unknownService } from '../../core/scope.ts';
import { scopeOf } from '../configuration.ts';
import type { RemoveAnswer } from '../context.ts';
import { codeOf } from '../exit.ts';
import { confirm } from '../prompt.ts';
import { examples, type Perform } from '../program.ts';
import { renderGone, renderRemoval } from '../render/remove.ts';
import { type Session, withConnection } from '../session.ts';

interface Options {
  readonly reason?: string;
  readonly dryRun?: boolean;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Takes a service away from its machine: its traffic ends first, then its instances after their last requests, then what listens
for it. Says first what that is, and asks. What its instances wrote goes with them; its history and the copies of its releases are
kept, and \`sluice deploy\` begins anew.
Where it is interrupted, ask again; with a server it goes on by itself.`,
    )
    .option('--reason <text>', 'why, for the record')
    .option('--dry-run', 'print what would end and change nothing')
    .addHelpText(
      'after',
      examples(
        ['sluice remove -e staging --dry-run', 'what would end'],
        ['sluice remove -e staging --yes --reason "nobody uses it"', 'do it without asking'],
      ),
    )
    .action(perform(remove));
}

async function remove(session: Session, options: Options): Promise<number> {
  const scope = await scopeOf(session);
  const { out, context } = session;
  const { json } = session.options;
  return withConnection(session, async ({ client }) => {
    const [view] = await client.status(scope);
    if (view?.active !== undefined) throw underWay(scope, view.active.id);
    const [known] = await client.history({ scope, limit: 1 });
    if (known === undefined) throw unknownService(scope);
    if (options.dryRun === true && json) out.json({ ...wouldEnd(view?.instances ?? []), dryRun: true });
    else if (!json && view !== undefined) out.lines(renderRemoval(view, out.look()));
    if (options.dryRun === true) return codeOf('done');
    if (!(await confirm(session, 'Take it away'))) return codeOf('done');
    const reason = options.reason ?? 'asked for without a reason';
    const answer = await client.remove({ scope, reason, actor: context.actor() });
    if (json) out.json({ ...answer, dryRun: false });
    else out.lines(renderGone(known.plan.spec, answer, out.look()));
    return codeOf('done');
  });
}

function underWay(scope: Scope, deployment: string): Failure {
  return new Failure('deployment.locked', `deployment ${deployment} of ${scopeName(scope)} is under way`, {
    at: scopeName(scope),
    remedy: 'Wait for its end, or end it with `sluice abort`; then ask again.',
  });
}

function wouldEnd(instances: readonly { readonly id: string; readonly release: string }[]): RemoveAnswer {
  return { instances: instances.map(({ id }) => id), releases: [...new Set(instances.map(({ release }) => release))] };
}
