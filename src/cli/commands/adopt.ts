// `sluice adopt`: takes containers that Compose runs over as the first stable release, without a restart of them.

import type { Command } from 'commander';
import { Failure } from '../../base/failure.ts';
import { scopeName } from '../../core/scope.ts';
import { codeOf } from '../exit.ts';
import { adoption } from '../configuration.ts';
import { follow, staysWhileWaiting } from '../follow.ts';
import { confirm } from '../prompt.ts';
import { examples, type Perform } from '../program.ts';
import { renderPlan } from '../render/plan.ts';
import { type Session, withConnection } from '../session.ts';
import { left } from './deploy.ts';

interface Options {
  readonly label?: string;
  readonly dryRun?: boolean;
  readonly detach?: boolean;
}

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Makes what Compose runs of the configured service the first stable release: its containers go on as they are, under a name of
Sluice's, and the router sends traffic to them. The next \`sluice deploy\` replaces them. Says first what it will do, and asks. Where
it does not work out, the containers are given back to Compose, running.`,
    )
    .option('--label <text>', 'what people call what runs now, such as a version or a commit')
    .option('--dry-run', 'print the plan and change nothing')
    .option('--detach', 'do not stay: return as soon as the server has it')
    .addHelpText(
      'after',
      examples(
        ['sluice adopt -e production --dry-run', 'what it would do'],
        ['sluice adopt -e production --label 1.4.2 --yes', 'do it without asking'],
      ),
    )
    .action(perform(adopt));
}

async function adopt(session: Session, options: Options): Promise<number> {
  const spec = await adoption(session);
  const { out } = session;
  return withConnection(session, async (connection) => {
    const [known] = await connection.client.status(spec.scope);
    const stable = known?.situation.stable;
    if (stable !== undefined) {
      throw new Failure('usage', `${scopeName(spec.scope)} has a stable release already: ${stable.release.id}`, {
        remedy: 'Adopt before the first deployment; now deploy with `sluice deploy`.',
      });
    }
    const request = { spec, label: options.label, actor: session.context.actor() };
    const { plan, digest } = await connection.client.plan(request);
    if (options.dryRun === true && session.options.json) out.json({ plan, digest });
    else if (!session.options.json) out.lines(renderPlan(plan, digest, out.look()));
    if (options.dryRun === true) return codeOf('done');
    if (!(await confirm(session, 'Do this'))) return codeOf('done');
    const deployment = await connection.client.deploy({ ...request, planDigest: digest });
    const detach = options.detach === true;
    if (detach && connection.mode === 'server') return left(session, deployment);
    const stay = staysWhileWaiting(session, connection, detach);
    return follow(session, connection, deployment, { responsible: true, stay, fromBeginning: true });
  });
}
