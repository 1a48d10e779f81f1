// `sluice status`: what is happening, since when, why, by whom, and what a person can do next.

import type { Command } from 'commander';
import type { Scope } from '../../core/scope.ts';
import { scopeFilter } from '../configuration.ts';
import type { Connection } from '../context.ts';
import { codeOf } from '../exit.ts';
import { follow, staysWhileWaiting } from '../follow.ts';
import { examples, type Perform } from '../program.ts';
import { renderScopes, type ScopeView } from '../render/status.ts';
import { statusOf } from '../scopes.ts';
import { type Session, withConnection } from '../session.ts';

interface Options {
  readonly watch?: boolean;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Shows every environment of the service (of all services, where no configuration is at hand): what runs, what is under way
and why, what happened last, and which commands you have.`,
    )
    .option('-w, --watch', 'follow the deployment under way to its end, and exit as `deploy` would')
    .addHelpText(
      'after',
      examples(
        ['sluice status', 'all environments of this service'],
        ['sluice status -e production --watch', 'follow what is under way in production'],
      ),
    )
    .action(perform(status));
}

async function status(session: Session, options: Options): Promise<number> {
  const filter = await scopeFilter(session);
  return withConnection(session, async (connection) => {
    const views = await viewsOf(connection, filter);
    const active = views.flatMap((view) => view.active ?? []);
    const [deployment, ...others] = active;
    if (options.watch === true && deployment !== undefined && others.length === 0) {
      const stay = staysWhileWaiting(session, { ...connection, mode: 'server' }, false);
      return follow(session, connection, deployment, { responsible: false, stay, fromBeginning: false });
    }
    if (session.options.json) session.out.json({ scopes: views });
    else session.out.lines(renderScopes(views, session.out.look()));
    if (options.watch === true) session.out.note(nothingToWatch(others.length));
    return codeOf('done');
  });
}

function nothingToWatch(others: number): string {
  return others === 0
    ? 'Nothing is under way to be watched.'
    : 'Several deployments are under way; name the environment of one with --env.';
}

/** The scopes that are meant, each with its newest deployment where none is under way. */
async function viewsOf({ client, mode }: Connection, filter: Partial<Scope>): Promise<readonly ScopeView[]> {
  const meant = await statusOf(client, filter);
  return Promise.all(
    meant.map(async (status) => {
      const view = { ...status, served: mode === 'server' };
      if (status.active !== undefined) return view;
      const [last] = await client.history({ scope: status.situation.scope, limit: 1 });
      return last === undefined ? view : { ...view, last };
    }),
  );
}
