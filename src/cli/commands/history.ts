// `sluice history`: earlier deployments, and one of them with every record and its evidence.

import type { Command } from 'commander';
import type { Rollout } from '../../core/rollout/rollout.ts';
import type { Scope } from '../../core/scope.ts';
import { scopeFilter } from '../configuration.ts';
import type { Client } from '../context.ts';
import { codeOf } from '../exit.ts';
import { wholeNumber } from '../numbers.ts';
import { examples, type Perform } from '../program.ts';
import { renderDetail, renderHistory } from '../render/history.ts';
import { statusOf } from '../scopes.ts';
import { type Session, withConnection } from '../session.ts';

interface Options {
  readonly limit: string;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      'Lists deployments and rollbacks, newest first, each with its result and, where it went wrong, the reason.',
    )
    .option('-n, --limit <number>', 'how many at most', '20')
    .addHelpText(
      'after',
      examples(
        ['sluice history -e production', 'the last 20 of production'],
        ['sluice history show d-20261121-7k3f9q', 'all that happened in this one, with the evidence'],
      ),
    )
    .action(perform(history));
  command
    .command('show')
    .summary('every record of one deployment, with its evidence')
    .description(
      'Prints every record of one deployment: what happened when, by whom, and the numbers each decision stands on.',
    )
    .argument('<id>', 'the deployment, as `sluice history` names it')
    .addHelpText('after', examples(['sluice history show d-20261121-7k3f9q', 'all that happened in this one']))
    .action(perform(show));
}

async function history(session: Session, options: Options): Promise<number> {
  const limit = wholeNumber(options.limit, '--limit', 1, 10_000);
  const filter = await scopeFilter(session);
  return withConnection(session, async ({ client }) => {
    const deployments = await newest(client, filter, limit);
    if (session.options.json) session.out.json({ deployments });
    else session.out.lines(renderHistory(deployments, session.out.look()));
    return codeOf('done');
  });
}

/** The newest deployments of the scopes that are meant, whatever else the store knows. */
async function newest(client: Client, filter: Partial<Scope>, limit: number): Promise<readonly Rollout[]> {
  if (filter.service === undefined && filter.environment === undefined) return client.history({ limit });
  const scopes = (await statusOf(client, filter)).map(({ situation }) => situation.scope);
  const all = await Promise.all(scopes.map((scope) => client.history({ scope, limit })));
  return all
    .flat()
    .toSorted((a, b) => b.createdAt - a.createdAt)
    .slice(0, limit);
}

function show(session: Session, _options: object, [id = '']: readonly (string | undefined)[]): Promise<number> {
  return withConnection(session, async ({ client }) => {
    const detail = await client.detail(id);
    if (session.options.json) session.out.json(detail);
    else session.out.lines(renderDetail(detail, session.out.look()));
    return codeOf('done');
  });
}
