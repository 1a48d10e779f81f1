// `sluice confidence`: the confidence score that a deployment of this checkout would get now, with its factors.

import type { Command } from 'commander';
import type { Confidence } from '../../core/decision/confidence.ts';
import type { Plan } from '../../core/plan/plan.ts';
import { confidenceInPlan } from '../../core/rollout/confidence-at.ts';
import { deploymentOrder } from '../configuration.ts';
import { codeOf } from '../exit.ts';
import { examples, type Perform } from '../program.ts';
import { releaseFacts } from '../release-facts.ts';
import { renderConfidence } from '../render/confidence.ts';
import { type Session, withConnection } from '../session.ts';

export function define(command: Command, perform: Perform): void {
  command
    .description(
      `Shows how sure one may be of the release in this checkout: a score of 0 to 100 from six factors, each with its value, its
weight and its reason, at every point where a deployment would ask for it. Reads reports and git as \`deploy\` does, and changes
nothing. Without \`confidence\` in the configuration the usual settings count.

Exits with 0 where it would go on by itself, 3 where a person would be asked, and 1 where it would go back.`,
    )
    .addHelpText(
      'after',
      examples(
        ['sluice confidence', 'the score of this checkout'],
        ['sluice confidence -e production --json', 'for a script that decides whether to deploy'],
      ),
    )
    .action(perform(confidence));
}

async function confidence(session: Session): Promise<number> {
  const order = await deploymentOrder(session);
  const { usualPolicy } = await import('../../config/resolve-confidence.ts');
  const spec = { ...order.spec, confidence: order.spec.confidence ?? usualPolicy };
  return withConnection(session, async ({ client }) => {
    const facts = await releaseFacts(session, client, { ...order, spec });
    const { plan } = await client.plan({ spec, facts, actor: session.context.actor() });
    const scores = scoresOf(plan);
    if (session.options.json) session.out.json({ confidence: scores, facts: plan.confidence ?? null });
    else if (scores.length === 0) session.out.lines(['This release is stable here already; no score is asked for.']);
    else {
      const look = session.out.look();
      session.out.lines(
        scores.flatMap((score, index) => [...(index === 0 ? [] : ['']), ...renderConfidence(score, look)]),
      );
    }
    return codeOf(exitOf(scores));
  });
}

function scoresOf(plan: Plan): readonly Confidence[] {
  return plan.steps.flatMap(({ step }, index) =>
    step.kind === 'hold' && step.confidence !== undefined ? [confidenceInPlan(plan, index, step.confidence)] : [],
  );
}

function exitOf(scores: readonly Confidence[]): 'done' | 'waiting' | 'wentBack' {
  const has = (outcome: Confidence['outcome']): boolean => scores.some((score) => score.outcome === outcome);
  if (has('go-back')) return 'wentBack';
  return has('ask') ? 'waiting' : 'done';
}
