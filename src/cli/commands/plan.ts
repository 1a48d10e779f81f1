// `sluice plan`: shows every step that a deployment would take, and changes nothing.

import type { Command } from 'commander';
import { deploymentOrder } from '../configuration.ts';
import { codeOf } from '../exit.ts';
import { examples, type Perform } from '../program.ts';
import { releaseFacts } from '../release-facts.ts';
import { renderPlan } from '../render/plan.ts';
import { type Session, withConnection } from '../session.ts';
import { addPlanOptions, shares } from './deploy.ts';

interface Options {
  readonly label?: string;
  readonly strategy?: string;
  readonly stages?: string;
}

export function define(command: Command, perform: Perform): void {
  command.description(
    'Prints what `sluice deploy` would do now, step by step, and what it would do to go back. Changes nothing.',
  );
  addPlanOptions(command)
    .addHelpText(
      'after',
      examples(
        ['sluice plan -e production', 'what a deployment would do'],
        ['sluice deploy --plan-digest "$(sluice plan --json | jq -r .digest)"', 'deploy exactly what was planned'],
      ),
    )
    .action(perform(plan));
}

async function plan(session: Session, options: Options): Promise<number> {
  const order = await deploymentOrder(session, { strategy: options.strategy, stages: shares(options.stages) });
  return withConnection(session, async ({ client }) => {
    const facts = await releaseFacts(session, client, order);
    const answer = await client.plan({ spec: order.spec, facts, label: options.label, actor: session.context.actor() });
    if (session.options.json) session.out.json(answer);
    else {
      const look = session.out.look();
      session.out.lines([
        ...renderPlan(answer.plan, answer.digest, look),
        '',
        `Deploy exactly this with:`,
        `  ${look.command(`deploy --plan-digest ${answer.digest}`, answer.plan.scope)}`,
      ]);
    }
    return codeOf('done');
  });
}
