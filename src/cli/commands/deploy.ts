// `sluice deploy`: puts a new release in front of users, and follows it.

import type { Command } from 'commander';
import type { Rollout } from '../../core/rollout/rollout.ts';
import { codeOf } from '../exit.ts';
import { deploymentOrder } from '../configuration.ts';
import { follow, staysWhileWaiting } from '../follow.ts';
import { examples, type Perform } from '../program.ts';
import { releaseFacts } from '../release-facts.ts';
import { renderReleases } from '../render/deployment.ts';
import { renderPlan } from '../render/plan.ts';
import { type Session, withConnection } from '../session.ts';

interface Options {
  readonly label?: string;
  readonly planDigest?: string;
  readonly strategy?: string;
  readonly stages?: string;
  readonly dryRun?: boolean;
  readonly detach?: boolean;
}

/** Options that change what is planned, for `plan` and `deploy` alike. */
export function addPlanOptions(command: Command): Command {
  return command
    .option('--label <text>', 'what people call this release, such as a version or a commit')
    .option('--strategy <name>', 'canary, blue-green or rolling, instead of the configured one')
    .option('--stages <shares>', 'stages of a canary, such as 1%,10%,100%');
}

export function define(command: Command, perform: Perform): void {
  command.description(
    `Makes a plan from the configuration, carries it out and follows it to its end.

With a server, the deployment goes on without this command: Ctrl-C only leaves, and where nobody watches (no terminal, or --json)
it returns with exit code 3 when it waits for a person. Without a server this process is the controller: it stays until the
end, also while it waits for a person, and Ctrl-C takes the deployment back to stable before it leaves.`,
  );
  addPlanOptions(command)
    .option('--plan-digest <digest>', 'deploy only what `sluice plan` printed under this digest')
    .option('--dry-run', 'print the plan and change nothing')
    .option(
      '--detach',
      'do not stay: return as soon as the server has it; without a server, as soon as it waits for a person',
    )
    .addHelpText(
      'after',
      examples(
        ['sluice deploy -e production --label 1.4.2', 'deploy what is in the configured directory, and follow it'],
        ['sluice deploy --strategy canary --stages 5%,50%,100%', 'this time in these stages'],
        ['sluice deploy --plan-digest sha256:4f0c…', 'exactly the plan that was looked at before'],
      ),
    )
    .action(perform(deploy));
}

async function deploy(session: Session, options: Options): Promise<number> {
  const order = await deploymentOrder(session, { strategy: options.strategy, stages: shares(options.stages) });
  const { label, planDigest } = options;
  return withConnection(session, async (connection) => {
    const facts = await releaseFacts(session, connection.client, order);
    const request = { spec: order.spec, facts, label, planDigest, actor: session.context.actor() };
    if (options.dryRun === true) {
      const { plan, digest } = await connection.client.plan(request);
      if (session.options.json) session.out.json({ plan, digest });
      else session.out.lines(renderPlan(plan, digest, session.out.look()));
      return codeOf('done');
    }
    const deployment = await connection.client.deploy(request);
    const detach = options.detach === true;
    if (detach && connection.mode === 'server') return left(session, deployment);
    const stay = staysWhileWaiting(session, connection, detach);
    return follow(session, connection, deployment, { responsible: true, stay, fromBeginning: true });
  });
}

/** `1%, 10%,100%` → its parts; whether they are shares, the configuration's schema says. */
export function shares(text: string | undefined): readonly string[] | undefined {
  return text?.split(',').map((share) => share.trim());
}

/** Says what goes on in the server. */
export function left(session: Session, deployment: Rollout): number {
  const { out } = session;
  const look = out.look();
  if (session.options.json) out.json({ deployment });
  else {
    out.lines([
      `The server carries out ${deployment.id}.`,
      ...renderReleases(deployment, look),
      `Follow it with:`,
      `  ${look.command('status --watch', deployment.plan.scope)}`,
    ]);
  }
  return codeOf('done');
}
