// `sluice rollback`: sends all traffic back to an earlier release.

import type { Command } from 'commander';
import { scopeOf } from '../configuration.ts';
import { codeOf } from '../exit.ts';
import { follow, staysWhileWaiting } from '../follow.ts';
import { examples, type Perform } from '../program.ts';
import { renderPlan } from '../render/plan.ts';
import { type Session, withConnection } from '../session.ts';
import { left } from './deploy.ts';

interface Options {
  readonly to?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly detach?: boolean;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Goes back to the release that was stable before, or to a named one, and follows it. A release that still runs warm gets the
traffic in one switch; another is started, checked, and then gets it. A deployment under way is ended instead, and a rollback
under way followed. Asks nothing: it is for emergencies.`,
    )
    .option('--to <release>', 'the release to go back to; `sluice history` lists them')
    .option('--reason <text>', 'why, for the record')
    .option('--dry-run', 'print the plan and change nothing')
    .option('--detach', 'with a server: return as soon as it is under way')
    .addHelpText(
      'after',
      examples(
        ['sluice rollback -e production', 'back to the last known good release'],
        ['sluice rollback --to shop@3f9c2a1b7d04 --reason "orders are lost"', 'back to this one'],
      ),
    )
    .action(perform(rollback));
}

async function rollback(session: Session, options: Options): Promise<number> {
  const scope = await scopeOf(session);
  const reason = options.reason ?? 'asked for without a reason';
  const request = { scope, to: options.to, reason, actor: session.context.actor() };
  return withConnection(session, async (connection) => {
    if (options.dryRun === true) {
      const { plan, digest } = await connection.client.planRollback(request);
      if (session.options.json) session.out.json({ plan, digest });
      else session.out.lines(renderPlan(plan, digest, session.out.look()));
      return codeOf('done');
    }
    const deployment = await connection.client.rollback(request);
    const detach = options.detach === true;
    if (detach && connection.mode === 'server') return left(session, deployment);
    const stay = staysWhileWaiting(session, connection, detach);
    return follow(session, connection, deployment, { responsible: true, stay, fromBeginning: true });
  });
}
